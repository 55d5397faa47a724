// Watches by the table of coordination facts 4.4, and what observers get of a transaction.
#include "coord/registry/watches.h"

#include "tests/unit/coord_registry/ring.h"

namespace ringside::coord::test {
namespace {

constexpr WatcherId kOne{1};
constexpr WatcherId kTwo{2};
constexpr Zxid kZxid{Epoch{1}, 9};

std::string word(const WatchEvent& event) {
  static const char* const kKinds[] = {"?", "created", "deleted", "data", "children"};
  return std::to_string(event.watcher.value) + " " + kKinds[static_cast<int>(event.kind)] + " " +
         event.path;
}

std::vector<std::string> fire(Watches& watches, const std::vector<Change>& changes) {
  std::vector<std::string> words;
  for (const WatchEvent& event : watches.fire(kZxid, changes)) {
    CHECK(event.zxid == kZxid);
    words.push_back(word(event));
  }
  return words;
}

using Words = std::vector<std::string>;

TEST_CASE("EachChangeTellsWhomTheTableSays") {
  struct Row {
    WatchKind kind;
    std::string watched;
    ChangeKind change;
    Words events;
    std::size_t left;
  };
  using enum WatchKind;
  using enum ChangeKind;
  const std::vector<Row> rows{
      {kData, "/p/c", kCreated, {"1 created /p/c"}, 0},
      {kData, "/p/c", kDeleted, {"1 deleted /p/c"}, 0},
      {kData, "/p/c", kDataChanged, {"1 data /p/c"}, 0},
      {kData, "/p", kCreated, {}, 1},
      {kChild, "/p", kCreated, {"1 children /p"}, 0},
      {kChild, "/p", kDeleted, {"1 children /p"}, 0},
      {kChild, "/p", kDataChanged, {}, 1},
      {kChild, "/p/c", kDeleted, {"1 deleted /p/c"}, 0},
      {kChild, "/p/c", kCreated, {}, 1},
      {kChild, "/", kCreated, {}, 1},
      {kPersistentRecursive, "/p/c", kCreated, {"1 created /p/c"}, 1},
      {kPersistentRecursive, "/p", kDataChanged, {"1 data /p/c"}, 1},
      {kPersistentRecursive, "/", kDeleted, {"1 deleted /p/c"}, 1},
      {kPersistentRecursive, "/p/c/d", kDeleted, {}, 1},
      {kPersistentRecursive, "/p/cc", kDeleted, {}, 1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.watched);
    Watches watches;
    CHECK(watches.add(kOne, row.kind, row.watched));
    CHECK(fire(watches, {{row.change, "/p/c"}}) == row.events);
    CHECK(watches.size() == row.left);
  }
}

TEST_CASE("AWatcherHearsOfOneChangeOnce") {
  Watches watches;
  watches.add(kOne, WatchKind::kData, "/a");
  watches.add(kOne, WatchKind::kChild, "/a");
  watches.add(kOne, WatchKind::kPersistentRecursive, "/a");
  watches.add(kOne, WatchKind::kPersistentRecursive, "/");
  CHECK(fire(watches, {{ChangeKind::kDeleted, "/a"}}) == Words{"1 deleted /a"});
  CHECK(watches.size() == 2);
}

TEST_CASE("APersistentWatcherHearsOfEachChangeOfATransaction") {
  Watches watches;
  watches.add(kOne, WatchKind::kPersistentRecursive, "/");
  watches.add(kTwo, WatchKind::kData, "/a");
  const std::vector<Change> changes{
      {ChangeKind::kCreated, "/a"}, {ChangeKind::kDeleted, "/a"}, {ChangeKind::kCreated, "/a"}};
  CHECK(fire(watches, changes) ==
        Words{"1 created /a", "2 created /a", "1 deleted /a", "1 created /a"});
}

TEST_CASE("EventsOfOneChangeGoByWatcher") {
  Watches watches;
  for (const std::uint64_t id : {5U, 3U, 4U}) {
    watches.add(WatcherId{id}, WatchKind::kChild, "/");
  }
  CHECK(fire(watches, {{ChangeKind::kCreated, "/a"}, {ChangeKind::kCreated, "/b"}}) ==
        Words{"3 children /", "4 children /", "5 children /"});
}

TEST_CASE("RemovingAWatcherLeavesTheOthers") {
  Watches watches;
  watches.add(kOne, WatchKind::kData, "/a");
  watches.add(kOne, WatchKind::kPersistentRecursive, "/b");
  watches.add(kTwo, WatchKind::kData, "/a");
  CHECK(watches.add(kTwo, WatchKind::kData, "/a"));  // stands already
  CHECK(watches.size() == 3);
  watches.remove(kOne);
  watches.remove(kOne);
  CHECK(watches.size() == 1);
  CHECK(fire(watches, {{ChangeKind::kDataChanged, "/a"}, {ChangeKind::kDataChanged, "/b"}}) ==
        Words{"2 data /a"});
  CHECK(watches.size() == 0);
}

TEST_CASE("AWatcherHasABound") {
  Watches watches;
  for (std::size_t i = 0; i < Watches::kMaxPerWatcher; ++i) {
    REQUIRE(watches.add(kOne, WatchKind::kData, "/" + std::to_string(i)));
  }
  CHECK_FALSE(watches.add(kOne, WatchKind::kData, "/one-more"));
  CHECK(watches.add(kOne, WatchKind::kData, "/0"));
  CHECK(watches.add(kTwo, WatchKind::kData, "/one-more"));
  watches.remove(kOne);
  CHECK(watches.size() == 1);
}

TEST_CASE("AnObserverGetsItsScopeAndItsOwnAnswers") {
  constexpr MemberId kObserver{kMinObserverId + 1};
  constexpr MemberId kOther{kMinObserverId + 2};
  Txn txn;
  txn.origin = {kObserver, RequestId{4}};
  txn.time = WallTime{milliseconds{5}};
  TxnCreateNode inside;
  inside.path = "/ringside/x";
  TxnCreateNode outside;
  outside.path = "/ringsidex";
  txn.ops = {inside, outside, TxnSetData{"/a", {}, 1}, TxnDeleteNode{"/ringside/y"},
             TxnCloseSession{SessionId{3}, {"/e", "/ringside/e"}}};
  txn.results = {{ZkError::kOk, "/ringside/x", {}}};
  const auto part = scoped(txn, kOther);
  REQUIRE(part.has_value());
  REQUIRE(part->ops.size() == 3);
  CHECK(std::get<TxnCloseSession>(part->ops[2]).ephemerals ==
        std::vector<std::string>{"/ringside/e"});
  CHECK(part->results.empty());
  CHECK(part->time == txn.time);
  CHECK(scoped(txn, kObserver)->results.size() == 1);

  txn.ops = {outside};
  CHECK_FALSE(scoped(txn, kOther).has_value());
  CHECK(scoped(txn, kObserver)->ops.empty());
  txn.ops = {TxnCreateSession{SessionId{8}, milliseconds{9}}};
  CHECK_FALSE(scoped(txn, kOther).has_value());
  auto observer = Registry::load(Registry().snapshot(true));
  REQUIRE(observer.has_value());
  const auto applied = observer->apply(kZxid, *scoped(txn, kObserver));
  REQUIRE(applied.has_value());
  CHECK(applied->reply.session == SessionId{8});
  CHECK(observer->sessions().empty());
  txn.ops = {TxnCloseSession{SessionId{3}, {"/e"}}};
  CHECK_FALSE(scoped(txn, kOther).has_value());
}

TEST_CASE("AScopedRegistryRefusesWhatIsOutOfItsScope") {
  auto observer = Registry::load(Registry().snapshot(true));
  REQUIRE(observer.has_value());
  Txn txn;
  TxnCreateNode outside;
  outside.path = "/other";
  outside.parent_cversion = 1;
  txn.ops = {outside};
  CHECK_FALSE(observer->apply(kZxid, txn).has_value());
  txn.ops = {TxnCloseSession{SessionId{3}, {"/ringside/e"}}};  // not there
  CHECK_FALSE(observer->apply(kZxid, txn).has_value());
}

}  // namespace
}  // namespace ringside::coord::test
