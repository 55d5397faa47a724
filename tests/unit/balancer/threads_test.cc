// What must hold when two workers use one table at once. Run under tsan too.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/unit/balancer/support.h"

namespace ringside::balancer {
namespace {

using namespace test;
using config::Balance;

// Runs `work` (given 0 and 1) on two threads that begin together.
void on_two_threads(auto work) {
  std::atomic<int> ready{0};
  const auto start = [&](int index) {
    ready.fetch_add(1);
    while (ready.load() < 2) std::this_thread::yield();
    work(index);
  };
  std::thread other(start, 1);
  start(0);
  other.join();
}

Shares pick_on_two_threads(const Upstream& upstream, int each) {
  std::array<Shares, 2> shares;
  on_two_threads([&](int index) {
    Rng rng(static_cast<std::uint64_t>(index));
    shares[static_cast<std::size_t>(index)] = pick_many(upstream, each, {.now = at(1), .rng = rng});
  });
  for (const auto& [instance, count] : shares[1]) shares[0][instance] += count;
  CHECK(in_flight_of_all(upstream) == 0);
  return shares[0];
}

TEST_CASE("RoundRobinIsExactOverTwoWorkers") {
  Rng rng(1);
  const auto table = table_of({endpoint("a"), endpoint("b"), endpoint("c")},
                              settings_with(Balance::kRoundRobin), rng);
  const auto shares = pick_on_two_threads(orders(table), 2500);
  CHECK(shares.size() == 3);
  for (const char* instance : {"a", "b", "c"}) CHECK(std::abs(shares.at(instance) - 1667) <= 1);
}

TEST_CASE("WeightedIsExactOverTwoWorkers") {
  Rng rng(1);
  const auto table = table_of({endpoint("a", 300), endpoint("b", 100), endpoint("c", 100)},
                              settings_with(Balance::kWeighted), rng);
  const auto shares = pick_on_two_threads(orders(table), 2500);
  CHECK(shares == Shares{{"a", 3000}, {"b", 1000}, {"c", 1000}});
}

TEST_CASE("PassedOverSlotsStayExactOverTwoWorkers") {
  Rng rng(1);
  const auto table = table_of({endpoint("a"), endpoint("b"), endpoint("c"), endpoint("d")},
                              settings_with(Balance::kRoundRobin), rng);
  open_breaker(orders(table), "c", at(0));
  const auto shares = pick_on_two_threads(orders(table), 3000);
  CHECK(shares.size() == 3);
  for (const char* instance : {"a", "b", "d"}) CHECK(std::abs(shares.at(instance) - 2000) <= 1);
}

// Shares can't be checked here: a thread that is preempted while it holds a call makes its host
// look busy, and least_connection then rightly goes elsewhere.
TEST_CASE("LeastConnectionFailsNoPickOverTwoWorkers") {
  Rng rng(1);
  const auto table = table_of({endpoint("a"), endpoint("b"), endpoint("c")},
                              settings_with(Balance::kLeastConnection), rng);
  const auto shares = pick_on_two_threads(orders(table), 3000);
  CHECK(shares.size() == 3);
  CHECK(shares.at("a") + shares.at("b") + shares.at("c") == 6000);
}

TEST_CASE("HeldCallsOfTwoWorkersSpreadEvenly") {
  Rng rng(1);
  const auto table = table_of({endpoint("a"), endpoint("b"), endpoint("c")},
                              settings_with(Balance::kLeastConnection), rng);
  on_two_threads([&](int index) {
    Rng own(static_cast<std::uint64_t>(index));
    for (int i = 0; i < 3000; ++i) {
      if (!pick(orders(table), {.now = at(0), .rng = own})) std::abort();
    }
  });
  // Nothing ends, so each pick raised the least count: all ends are equal but for the rare one that
  // gave up looking again.
  for (const HostEntry& entry : orders(table).hosts()) {
    CHECK(std::abs(static_cast<int>(entry.host->in_flight()) - 2000) <= 4);
  }
}

TEST_CASE("HalfOpenAdmitsNoMoreThanItsProbesOverTwoWorkers") {
  Rng rng(1);
  config::Settings settings;
  settings.defaults.circuit_breaker.half_open_requests = 5;
  for (int round = 0; round < 200; ++round) {
    const auto table = table_of({endpoint("a")}, settings, rng);
    open_breaker(orders(table), "a", at(0));
    std::atomic<int> probes{0};
    on_two_threads([&](int index) {
      Rng own(static_cast<std::uint64_t>(index));
      for (int i = 0; i < 10; ++i) {
        const auto picked = pick(orders(table), {.now = at(5000), .rng = own});
        if (picked && picked->probe()) probes.fetch_add(1);
      }
    });
    REQUIRE(probes.load() == 5);
    REQUIRE(orders(table).state()->transitions_to(BreakerState::kHalfOpen) == 1);
  }
}

TEST_CASE("BreakerOpensOnceOverTwoWorkersAndLateResultsDoNotMatter") {
  Rng rng(1);
  const auto table = table_of({endpoint("a")}, config::Settings{}, rng);
  const auto& breaker = orders(table).settings().circuit_breaker;
  on_two_threads([&](int index) {
    Rng own(static_cast<std::uint64_t>(index));
    std::vector<Pick> picks;
    for (int i = 0; i < 100; ++i) {
      const auto picked = pick(orders(table), {.now = at(0), .rng = own});
      if (picked) picks.push_back(*picked);
    }
    for (const Pick& one : picks) report(one, Outcome::kFailure, milliseconds{1}, at(1));
  });
  CHECK(host_named(orders(table), "a").breaker_state(breaker) == BreakerState::kOpen);
  CHECK(orders(table).state()->transitions_to(BreakerState::kOpen) == 1);
  CHECK(in_flight_of_all(orders(table)) == 0);
}

TEST_CASE("FailuresOfTwoWorkersInARowAreAllCounted") {
  Rng rng(1);
  config::Settings settings;
  settings.defaults.circuit_breaker.failure_ratio = 0;
  settings.defaults.circuit_breaker.consecutive_failures = 2001;
  const auto table = table_of({endpoint("a")}, settings, rng);
  const auto fail = [&](int index) {
    Rng own(static_cast<std::uint64_t>(index));
    for (int i = 0; i < 1000; ++i) {
      const auto picked = pick(orders(table), {.now = at(0), .rng = own});
      if (!picked) std::abort();
      report(*picked, Outcome::kFailure, milliseconds{1}, at(0));
    }
  };
  on_two_threads(fail);
  const auto& breaker = settings.defaults.circuit_breaker;
  CHECK(host_named(orders(table), "a").breaker_state(breaker) == BreakerState::kClosed);
  const auto last = pick(orders(table), {.now = at(0), .rng = rng});
  report(*last, Outcome::kFailure, milliseconds{1}, at(0));
  CHECK(host_named(orders(table), "a").breaker_state(breaker) == BreakerState::kOpen);
}

// Two workers, outages and recoveries, a window that turns over all the time.
TEST_CASE("BreakerUnderTwoWorkersKeepsItsCounts") {
  Rng rng(1);
  config::Settings settings;
  auto& breaker = settings.defaults.circuit_breaker;
  breaker.consecutive_failures = 5;
  breaker.window = milliseconds{100};
  breaker.open_for = milliseconds{3};
  breaker.open_for_max = milliseconds{10};
  breaker.half_open_requests = 2;
  const auto table = table_of({endpoint("a"), endpoint("b")}, settings, rng);
  on_two_threads([&](int index) {
    Rng own(static_cast<std::uint64_t>(index));
    for (int i = 0; i < 20000; ++i) {
      const Instant now = at(i / 10);
      const auto picked = pick(orders(table), {.now = now, .rng = own});
      if (!picked) continue;
      const bool outage = i / 1000 % 2 == 0 && picked->host->endpoint.instance == "a";
      const auto outcome = own.chance(0.05) ? Outcome::kNeutral
                           : outage         ? Outcome::kFailure
                                            : Outcome::kSuccess;
      report(*picked, outcome, milliseconds{1}, now);
    }
  });
  const UpstreamState& state = *orders(table).state();
  const auto opened = state.transitions_to(BreakerState::kOpen);
  const auto half = state.transitions_to(BreakerState::kHalfOpen);
  const auto closed = state.transitions_to(BreakerState::kClosed);
  CHECK(opened >= 10);
  CHECK(closed >= 5);
  CHECK(closed <= half);
  CHECK(half <= opened);
  CHECK(in_flight_of_all(orders(table)) == 0);
  std::size_t logged = 0;
  while (table->transitions()->pop()) ++logged;
  CHECK(logged + table->transitions()->dropped() == opened + half + closed);
}

TEST_CASE("TransitionLogLosesNothingBetweenTwoPushersAndADrain") {
  TransitionLog log;
  const auto host = std::make_shared<const HostIdentity>();
  constexpr int kEach = 20000;
  std::atomic<int> running{2};
  std::uint64_t drained = 0;
  std::array<Instant, 2> last{};
  std::thread drain([&] {
    for (bool more = true; more;) {
      more = running.load() > 0;
      while (const auto record = log.pop()) {
        auto& before = last[record->transition.to == BreakerState::kOpen ? 1 : 0];
        if (record->at <= before) std::abort();  // the order of each pusher is kept
        before = record->at;
        ++drained;
      }
    }
  });
  on_two_threads([&](int index) {
    for (int i = 1; i <= kEach; ++i) {
      const auto to = index == 0 ? BreakerState::kClosed : BreakerState::kOpen;
      log.push({.host = host, .transition = {.to = to}, .at = at(i)});
    }
    running.fetch_sub(1);
  });
  drain.join();
  CHECK(drained + log.dropped() == 2 * kEach);
  CHECK(drained > 0);
  CHECK(host.use_count() == 1);
}

}  // namespace
}  // namespace ringside::balancer
