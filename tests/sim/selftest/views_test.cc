// The rules of reads and watches can fail: small wrong histories, each of which must be flagged.
#include <doctest/doctest.h>

#include "tests/sim/key_histories.h"
#include "tests/sim/selftest/broken_by.h"
#include "tests/sim/tree_history.h"
#include "tests/sim/watch_rules.h"

namespace ringside::sim {

namespace {

using coord::Change;
using coord::ChangeKind;
using coord::Epoch;
using coord::WatcherId;
using coord::WatchEventKind;
using coord::WatchKind;
using coord::Zxid;

constexpr WatcherId kWatcher{4};

Zxid zxid(std::uint64_t counter) {
  return Zxid{Epoch{1}, counter};
}

// "/k" is made at 2, changed at 4 and deleted at 6.
struct Tree {
  Tree() {
    history.changed(zxid(2), "/k", NodeState{"a", 0, zxid(2)});
    history.changed(zxid(4), "/k", NodeState{"b", 1, zxid(4)});
    history.changed(zxid(6), "/k", std::nullopt);
    history.extended(zxid(6));
  }
  TreeHistory history;
};

// What a member tells of `changes` at 1 to one watch on "/a".
std::string told(WatchKind kind, const std::vector<Change>& changes,
                 const std::vector<coord::WatchEvent>& events) {
  return broken_by([&] {
    WatchRules rules;
    rules.added(kWatcher, kind, "/a");
    rules.applied(zxid(1), changes);
    for (const coord::WatchEvent& event : events) {
      rules.event(event);
    }
    rules.all_told("answer");
  });
}

coord::WatchEvent event(WatchEventKind kind, std::string path) {
  return {kWatcher, kind, std::move(path), zxid(1)};
}

}  // namespace

TEST_CASE("AReadShowsTheStateAtItsZxid") {
  const NodeState first{"a", 0, zxid(2)};
  const NodeState second{"b", 1, zxid(4)};
  CHECK(broken_by([&] {
          Tree tree;
          tree.history.read("c", "/k", zxid(1), std::nullopt);
          tree.history.read("c", "/k", zxid(3), first);
          tree.history.read("c", "/k", zxid(5), second);
          tree.history.read("c", "/k", zxid(6), std::nullopt);
          tree.history.read("c", "/other", zxid(6), std::nullopt);
        }) == "nothing");
  CHECK(broken_by([&] { Tree().history.read("c", "/k", zxid(4), first); }) == "sequential");
  CHECK(broken_by([&] { Tree().history.read("c", "/k", zxid(3), second); }) == "sequential");
  CHECK(broken_by([&] { Tree().history.read("c", "/k", zxid(6), second); }) == "sequential");
  CHECK(broken_by([&] { Tree().history.read("c", "/k", zxid(5), std::nullopt); }) == "sequential");
}

TEST_CASE("AReadAheadOfTheHistoryIsJudgedLater") {
  CHECK(broken_by([] {
          Tree tree;
          tree.history.read("c", "/k", zxid(8), NodeState{"c", 0, zxid(8)});
          tree.history.changed(zxid(7), "/other", std::nullopt);
          tree.history.extended(zxid(7));
        }) == "nothing");
  CHECK(broken_by([] {
          Tree tree;
          tree.history.read("c", "/k", zxid(7), NodeState{"c", 0, zxid(7)});
          tree.history.extended(zxid(7));
        }) == "sequential");
}

TEST_CASE("EachChangeIsToldOnceInOrder") {
  const Change made{ChangeKind::kCreated, "/a"};
  const Change changed{ChangeKind::kDataChanged, "/a"};
  const Change below{ChangeKind::kCreated, "/a/b"};
  CHECK(told(WatchKind::kData, {made, changed}, {event(WatchEventKind::kCreated, "/a")}) ==
        "nothing");
  CHECK(told(WatchKind::kData, {made}, {}) == "watches");
  CHECK(told(WatchKind::kData, {below}, {event(WatchEventKind::kCreated, "/a/b")}) == "watches");
  CHECK(told(WatchKind::kChild, {below}, {event(WatchEventKind::kChildrenChanged, "/a")}) ==
        "nothing");
  CHECK(told(WatchKind::kData, {made},
             {event(WatchEventKind::kCreated, "/a"), event(WatchEventKind::kCreated, "/a")}) ==
        "watches");
  CHECK(told(WatchKind::kPersistentRecursive, {made, below},
             {event(WatchEventKind::kCreated, "/a"), event(WatchEventKind::kCreated, "/a/b")}) ==
        "nothing");
  CHECK(told(WatchKind::kPersistentRecursive, {made, below},
             {event(WatchEventKind::kCreated, "/a/b"), event(WatchEventKind::kCreated, "/a")}) ==
        "watches");
}

TEST_CASE("HistoriesOfKeysAreJudgedByTheirAnswers") {
  const auto history = [](coord::ZkError second) {
    return broken_by([&] {
      KeyHistories keys;
      coord::Reply made;
      made.results.emplace_back();
      KeyOp create;
      create.action = KeyAction::kCreate;
      keys.answered(keys.called("/k", create), made);
      coord::Reply again;
      again.error = second;
      again.results.emplace_back();
      keys.answered(keys.called("/k", create), again);
      const EventQueue queue;
      Trace trace(queue, false);
      keys.judge_all(trace);
    });
  };
  CHECK(history(coord::ZkError::kNodeExists) == "nothing");
  CHECK(history(coord::ZkError::kConnectionLoss) == "nothing");
  CHECK(history(coord::ZkError::kSessionExpired) == "nothing");
  CHECK(history(coord::ZkError::kOk) == "linearizability");
  CHECK(history(coord::ZkError::kNoNode) == "linearizability");
}

}  // namespace ringside::sim
