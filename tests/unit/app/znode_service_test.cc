#include <doctest/doctest.h>

#include <deque>

#include "sidecar/app/znode_service.h"
#include "tests/unit/discovery/fake_client.h"

namespace ringside::app {

namespace {

using admin::TroubleWord;
using admin::ZnodeAnswer;
using admin::ZnodeCall;
using admin::ZnodeMethod;

ZnodeCall call(ZnodeMethod method, const std::string& path, const std::string& data = "") {
  ZnodeCall made;
  made.method = method;
  made.path = path;
  made.data.assign(data.begin(), data.end());
  return made;
}

ZnodeCall get(const std::string& path) {
  return call(ZnodeMethod::kGet, path);
}
ZnodeCall put(const std::string& path, const std::string& data = "") {
  return call(ZnodeMethod::kPut, path, data);
}

struct Fixture {
  discovery::FakeClient client;
  Instant now{seconds{100}};
  discovery::SessionKeeper keeper{client, milliseconds{6000}, [](const std::string&) {}};
  ZnodeService service{client, keeper};
  std::deque<ZnodeAnswer> answers;

  Fixture() {
    keeper.on_change([this](Instant at) { service.moved(at); });
  }
  void ask(ZnodeCall what) {
    service.ask(now, std::move(what), [this](ZnodeAnswer answer) { answers.push_back(answer); });
  }
  void pass(milliseconds time) {
    for (; time > milliseconds{0}; time -= milliseconds{50}) {
      now += milliseconds{50};
      keeper.tick(now);
      service.tick(now);
      client.serve();
    }
  }
  // The one answer there is.
  ZnodeAnswer take() {
    REQUIRE(answers.size() == 1);
    ZnodeAnswer answer = answers.front();
    answers.pop_front();
    CHECK(service.pending() == 0);
    return answer;
  }
  ZnodeAnswer of(ZnodeCall what) {
    ask(std::move(what));
    client.serve();
    return take();
  }
  template <typename Answer>
  Answer good(ZnodeCall what) {
    const ZnodeAnswer answer = of(std::move(what));
    REQUIRE(std::holds_alternative<Answer>(answer));
    return std::get<Answer>(answer);
  }
  std::string_view trouble(ZnodeCall what) { return word(of(std::move(what))); }
  static std::string_view word(const ZnodeAnswer& answer) {
    const auto* trouble = std::get_if<admin::Trouble>(&answer);
    return trouble == nullptr ? "ok" : kind_of(trouble->word).word;
  }
};

using admin::ZnodeDeleted;
using admin::ZnodeRead;
using admin::ZnodeWritten;

}  // namespace

TEST_CASE("PutMakesThenSetsAndGetShowsIt") {
  Fixture f;
  const auto made = f.good<ZnodeWritten>(put("/a", "one"));
  CHECK(made.created);
  CHECK(made.stat->version == 0);
  const auto set = f.good<ZnodeWritten>(put("/a", "two"));
  CHECK_FALSE(set.created);
  CHECK(set.stat->version == 1);
  CHECK(set.zxid > made.zxid);
  f.good<ZnodeWritten>(put("/a/b"));
  const auto read = f.good<ZnodeRead>(get("/a"));
  CHECK(read.data == "two");
  CHECK(read.children == std::vector<std::string>{"b"});
  CHECK(read.stat.num_children == 1);
  CHECK_FALSE(read.stale);
  CHECK(f.trouble(get("/none")) == "no_node");
}

TEST_CASE("PutFindsItsWayWhateverTheViewSaid") {
  Fixture f;
  f.ask(put("/a", "mine"));  // not there yet: it will be made
  f.client.carry_out({{}, coord::Multi{{coord::Create{"/a", {}, {}, false}}}});
  f.client.serve();
  CHECK_FALSE(std::get<ZnodeWritten>(f.take()).created);
  f.ask(put("/a", "again"));  // there: it will be set
  f.client.carry_out({{}, coord::Multi{{coord::Delete{"/a", coord::kAnyVersion, false}}}});
  f.client.serve();
  CHECK(std::get<ZnodeWritten>(f.take()).created);
}

TEST_CASE("ConditionsOfAPutHold") {
  Fixture f;
  ZnodeCall compare = put("/a", "x");
  compare.version = 0;
  CHECK(f.trouble(compare) == "no_node");  // and nothing is made
  CHECK(f.trouble(get("/a")) == "no_node");
  f.good<ZnodeWritten>(put("/a"));
  CHECK(f.good<ZnodeWritten>(compare).stat->version == 1);
  CHECK(f.trouble(compare) == "bad_version");
  ZnodeCall create = put("/a", "y");
  create.create_only = true;
  CHECK(f.trouble(create) == "node_exists");
  CHECK(f.trouble(put("/b/c")) == "no_node");
  ZnodeCall deep = put("/b/c");
  deep.parents = true;
  CHECK(f.good<ZnodeWritten>(deep).created);
}

TEST_CASE("DeleteKeepsItsConditions") {
  Fixture f;
  f.good<ZnodeWritten>(put("/a"));
  f.good<ZnodeWritten>(put("/a/b"));
  CHECK(f.trouble(call(ZnodeMethod::kDelete, "/a")) == "not_empty");
  ZnodeCall old = call(ZnodeMethod::kDelete, "/a/b");
  old.version = 4;
  CHECK(f.trouble(old) == "bad_version");
  CHECK(f.good<ZnodeDeleted>(call(ZnodeMethod::kDelete, "/a/b")).path == "/a/b");
  CHECK(f.trouble(call(ZnodeMethod::kDelete, "/a/b")) == "no_node");
}

TEST_CASE("SequentialChildrenAreNumbered") {
  Fixture f;
  f.good<ZnodeWritten>(put("/q"));
  ZnodeCall next = call(ZnodeMethod::kPost, "/q/job-");
  next.sequential = true;
  CHECK(f.good<ZnodeWritten>(next).path == "/q/job-0000000000");
  next.path = "/q/";
  CHECK(f.good<ZnodeWritten>(next).path == "/q/0000000001");
  next.path = "/none/";
  const auto missing = std::get<admin::Trouble>(f.of(next));
  CHECK(missing.word == TroubleWord::kNoNode);
  CHECK(missing.hint.find("/none to make") != std::string::npos);
}

TEST_CASE("AnEphemeralIsTheSessionsAndWaitsForOne") {
  Fixture f;
  ZnodeCall lock = put("/lock");
  lock.ephemeral = lock.create_only = true;
  f.ask(lock);
  CHECK(f.client.serve() == 0);  // no session yet
  f.pass(milliseconds{200});
  const auto made = std::get<ZnodeWritten>(f.take());
  CHECK(made.stat->ephemeral_owner == f.keeper.session());
  CHECK(f.trouble(lock) == "node_exists");
  CHECK(f.trouble(put("/lock/child")) == "no_children_for_ephemerals");
  f.client.carry_out({f.keeper.session(), coord::CloseSession{}});
  f.client.observes = true;  // it will not see that by itself
  f.ask(lock);
  f.pass(milliseconds{500});
  CHECK(std::get<ZnodeWritten>(f.take()).stat->ephemeral_owner == f.keeper.session());
}

TEST_CASE("WithoutALeaderAWriteWaitsAndWasSurelyNotDone") {
  Fixture f;
  f.client.leader = false;
  f.ask(put("/a"));
  f.pass(seconds{5});
  CHECK(f.answers.empty());
  f.client.leader = true;
  f.service.moved(f.now);  // at once, not at the next tick
  f.client.serve();
  CHECK(std::get<ZnodeWritten>(f.take()).created);
  f.client.leader = false;
  ZnodeCall hasty = put("/b");
  hasty.timeout = milliseconds{300};
  f.ask(hasty);
  f.pass(milliseconds{400});
  CHECK(Fixture::word(f.take()) == "no_quorum");
  f.client.leader = true;
  f.pass(milliseconds{200});
  CHECK_FALSE(f.client.registry().get("/b"));
  CHECK(f.good<ZnodeRead>(get("/a")).stat.version == 0);
}

TEST_CASE("ALostWriteIsNotRepeatedALostSyncIs") {
  Fixture f;
  f.client.unavailable = true;
  f.ask(put("/a"));
  CHECK(f.client.serve() == 1);
  CHECK(Fixture::word(f.take()) == "connection_loss");
  f.good<ZnodeRead>(get("/"));  // no need of a leader
  ZnodeCall sync = get("/");
  sync.sync = true;
  f.ask(sync);
  for (int i = 0; i < 100; ++i) {
    f.client.serve();
    f.service.moved(f.now);
  }
  CHECK(f.answers.empty());
  CHECK(f.client.asked() == 0);  // it does not try again without a pause
  f.client.unavailable = false;
  f.pass(milliseconds{100});
  CHECK(Fixture::word(f.take()) == "ok");
}

TEST_CASE("AnAnswerThatIsTooLateIsForgotten") {
  Fixture f;
  ZnodeCall slow = put("/a");
  slow.timeout = milliseconds{100};
  f.ask(slow);
  f.now += milliseconds{100};
  f.service.tick(f.now);
  CHECK(Fixture::word(f.take()) == "timeout");
  CHECK(f.client.serve() == 1);
  CHECK(f.answers.empty());
}

TEST_CASE("WithoutAViewAReadWaits") {
  Fixture f;
  f.client.view = false;
  f.ask(get("/"));
  CHECK(f.answers.empty());
  f.client.view = true;
  f.pass(milliseconds{50});
  CHECK(Fixture::word(f.take()) == "ok");
  f.client.leader = false;
  CHECK(f.good<ZnodeRead>(get("/")).stale);
}

TEST_CASE("TooManyAreRefusedAndEachIsAnsweredOnce") {
  Fixture f;
  f.client.leader = false;
  for (std::size_t i = 0; i < ZnodeService::kMaxPending; ++i) {
    f.ask(put("/a"));
  }
  CHECK(f.answers.empty());
  f.ask(put("/a"));
  REQUIRE(f.answers.size() == 1);
  CHECK(Fixture::word(f.answers.front()) == "busy");
  f.pass(seconds{11});
  CHECK(f.answers.size() == ZnodeService::kMaxPending + 1);
  CHECK(f.service.pending() == 0);
}

}  // namespace ringside::app
