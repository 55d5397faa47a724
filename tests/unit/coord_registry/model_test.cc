// Random histories: the registry beside the plain model, members beside each other.
#include <optional>

#include "tests/unit/coord_registry/model.h"
#include "tests/unit/coord_registry/random_requests.h"
#include "tests/unit/coord_registry/same_state.h"

namespace ringside::coord::test {
namespace {

void require_same(const Reply& ours, const Reply& model) {
  REQUIRE(ours.error == model.error);
  REQUIRE(ours.zxid == model.zxid);
  REQUIRE(ours.session == model.session);
  REQUIRE(ours.session_timeout == model.session_timeout);
  REQUIRE(ours.results.size() == model.results.size());
  for (std::size_t i = 0; i < ours.results.size(); ++i) {
    REQUIRE(ours.results[i].error == model.results[i].error);
    REQUIRE(ours.results[i].path == model.results[i].path);
    REQUIRE(ours.results[i].stat == model.results[i].stat);
  }
}

void require_same(const Registry& registry, const Model& model) {
  REQUIRE(registry.znodes() == model.nodes.size());
  for (const auto& [path, node] : model.nodes) {
    CAPTURE(path);
    const auto view = registry.get(path);
    REQUIRE(view.has_value());
    REQUIRE(view->stat == model.stat(path));
    REQUIRE(view->data == as_text(node.data));
    REQUIRE(registry.children(path) == model.children(path));
  }
  REQUIRE(registry.sessions().size() == model.sessions.size());
  for (const auto& [id, timeout] : model.sessions) {
    REQUIRE(registry.session(id).has_value());
    REQUIRE(registry.session(id)->timeout == timeout);
    REQUIRE(registry.ephemerals(id) == model.ephemerals(id));
  }
}

// The sessions that requests name: those open, and now and then one that is gone or never was.
struct Sessions {
  std::vector<SessionId> ids;
  std::uint64_t opened = 0;

  void note(const Txn& txn) {
    for (const TxnOp& op : txn.ops) {
      if (const auto* open = std::get_if<TxnCreateSession>(&op)) {
        ids.push_back(open->session);
        ++opened;
      }
    }
    if (ids.size() > 5) {
      ids.erase(ids.begin());
    }
  }
};

// Requests are prepared up to `depth` ahead of what is applied; the model runs them one by one.
void run_history(std::uint64_t seed, int steps, std::size_t depth) {
  CAPTURE(seed);
  Rng rng(seed);
  Ring ring;
  Model model;
  Sessions sessions;
  std::deque<Reply> expected;
  std::uint64_t clock = 0;
  int failed = 0;
  for (int step = 0; step < steps; ++step) {
    CAPTURE(step);
    const Request request = random_request(rng, sessions.ids);
    const Txn txn = ring.propose(request);
    sessions.note(txn);
    const WallTime now{milliseconds{static_cast<std::int64_t>(++clock)}};
    expected.push_back(model.run(request, ring.last(), now, SessionId{0x1000 + sessions.opened}));
    failed += txn.error != ZkError::kOk ? 1 : 0;
    while (ring.outstanding() > rng.below(depth)) {
      require_same(ring.apply_one().reply, expected.front());
      expected.pop_front();
    }
    if (ring.outstanding() == 0 && step % 40 == 0) {
      require_same(ring.registry(), model);
    }
  }
  while (ring.outstanding() != 0) {
    require_same(ring.apply_one().reply, expected.front());
    expected.pop_front();
  }
  require_same(ring.registry(), model);
  CHECK(failed > steps / 20);  // else the history tries too little
  CHECK(failed < steps * 9 / 10);
}

TEST_CASE("TheRegistryIsTheModel") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    run_history(seed, 2000, 1);
  }
}

TEST_CASE("OutstandingProposalsExecuteAsIfOneAfterTheOther") {
  for (std::uint64_t seed = 100; seed <= 108; ++seed) {
    run_history(seed, 1500, 2 + seed * 7 % 30);
  }
}

TEST_CASE("D12MembersThatApplyTheSameTransactionsAreEqual") {
  Rng rng(7);
  Ring leader;
  Registry follower;
  Sessions sessions;
  for (int step = 0; step < 3000; ++step) {
    sessions.note(leader.propose(random_request(rng, sessions.ids)));
    leader.apply_one();
    REQUIRE(follower.apply(leader.last(), leader.last_txn()).has_value());
    REQUIRE(follower.digest() == leader.registry().digest());
    REQUIRE(follower.scope_digest() == leader.registry().scope_digest());
  }
  require_same_state(follower, leader.registry());
}

TEST_CASE("D11ASnapshotIsTheStateAtItsZxid") {
  Rng rng(8);
  Ring leader;
  std::optional<Registry> late;
  Sessions sessions;
  for (int step = 0; step < 3000; ++step) {
    sessions.note(leader.propose(random_request(rng, sessions.ids)));
    leader.apply_one();
    if (late) {
      REQUIRE(late->apply(leader.last(), leader.last_txn()).has_value());
    }
    if (step % 50 == 0) {
      Registry fresh = loaded(leader.registry().snapshot());
      require_same_state(fresh, leader.registry());
      if (late) {
        require_same_state(*late, fresh);
      }
      late = std::move(fresh);
    }
    REQUIRE(late->applied() == leader.registry().applied());
    REQUIRE(late->digest() == leader.registry().digest());
    REQUIRE(late->scope_digest() == leader.registry().scope_digest());
    REQUIRE(late->sessions().size() == leader.registry().sessions().size());
  }
}

TEST_CASE("D13AScopedFeedIsTheScopeOfTheTreeAtEveryZxid") {
  constexpr MemberId kObserver{kMinObserverId};
  Rng rng(9);
  Ring leader;
  auto observer = Registry::load(leader.registry().snapshot(true));
  REQUIRE(observer.has_value());
  CHECK(observer->scoped());
  Sessions sessions;
  int seen = 0;
  for (int step = 0; step < 4000; ++step) {
    sessions.note(leader.propose(random_request(rng, sessions.ids)));
    leader.apply_one();
    if (const auto part = scoped(leader.last_txn(), kObserver)) {
      ++seen;
      const auto applied = observer->apply(leader.last(), *part);
      const std::string why = applied ? "" : applied.error().message;
      REQUIRE_MESSAGE(applied.has_value(), why);
    }
    REQUIRE(observer->scope_digest() == leader.registry().scope_digest());
    REQUIRE(observer->digest() == observer->scope_digest());
    if (step % 40 == 0) {
      auto fresh = Registry::load(leader.registry().snapshot(true));
      REQUIRE(fresh.has_value());
      REQUIRE(fresh->scope_digest() == leader.registry().scope_digest());
      REQUIRE(fresh->digest() == observer->digest());
      REQUIRE(fresh->znodes() == observer->znodes());
      if (step % 400 == 0) {
        observer = std::move(fresh);
        require_same_state(*observer, loaded(leader.registry().snapshot(true)));
      }
    }
  }
  CHECK(seen > 200);
  CHECK(seen < 2000);
}

}  // namespace
}  // namespace ringside::coord::test
