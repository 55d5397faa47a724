#include <doctest/doctest.h>

#include <cstdlib>
#include <queue>

#include "balancer/policies/claim.h"
#include "balancer/policies/least_connection.h"
#include "tests/unit/balancer/support.h"

namespace ringside::balancer {
namespace {

using namespace test;

const config::Settings kLeast = settings_with(config::Balance::kLeastConnection);

std::vector<Endpoint> many(int count) {
  std::vector<Endpoint> endpoints;
  for (int i = 0; i < count; ++i) {
    endpoints.push_back(endpoint("i" + std::to_string(1000 + i)));
  }
  return endpoints;
}

// Closed loop in virtual time: each of `callers` begins its next call when one ends. Gives calls
// ended per instance after `length`.
Shares closed_loop(const Upstream& upstream, int callers, Duration length, Rng& rng,
                   const std::map<std::string, Duration>& takes) {
  struct Running {
    Instant ends;
    Pick picked;
    bool operator<(const Running& other) const { return ends > other.ends; }
  };
  std::priority_queue<Running> running;
  Shares shares;
  const auto begin = [&](Instant now) {
    const Pick picked = *pick(upstream, {.now = now, .rng = rng});
    running.push({now + takes.at(picked.host->endpoint.instance), picked});
  };
  for (int i = 0; i < callers; ++i) begin(at(0));
  while (running.top().ends <= Instant{length}) {
    const Running done = running.top();
    running.pop();
    report(done.picked, Outcome::kSuccess, milliseconds{1}, done.ends);
    ++shares[done.picked.host->endpoint.instance];
    begin(done.ends);
  }
  for (; !running.empty(); running.pop()) release(running.top().picked);
  return shares;
}

TEST_CASE("LeastConnectionTakesTheHostWithFewestCalls") {
  Rng rng(1);
  const auto table = table_of({endpoint("a"), endpoint("b"), endpoint("c")}, kLeast, rng);
  host_named(orders(table), "a").enter();
  host_named(orders(table), "c").enter();
  host_named(orders(table), "c").enter();
  const PickContext context{.now = at(0), .rng = rng};
  CHECK(pick(orders(table), context)->host->endpoint.instance == "b");
  // a and b have one each now: one more for each of the two, then all have two.
  Shares next;
  for (int i = 0; i < 2; ++i) ++next[pick(orders(table), context)->host->endpoint.instance];
  CHECK(next == Shares{{"a", 1}, {"b", 1}});
}

TEST_CASE("LeastConnectionCountsCallsPerWeight") {
  Rng rng(1);
  const auto table = table_of({endpoint("a", 300), endpoint("b", 100)}, kLeast, rng);
  Shares held;
  for (int i = 0; i < 400; ++i) {
    ++held[pick(orders(table), {.now = at(0), .rng = rng})->host->endpoint.instance];
  }
  CHECK(held == Shares{{"a", 300}, {"b", 100}});
}

TEST_CASE("IdleHostsShareByWeight") {
  Rng rng(1);
  const auto table =
      table_of({endpoint("a", 300), endpoint("b", 100), endpoint("c", 100)}, kLeast, rng);
  const auto shares = pick_many(orders(table), 5000, {.now = at(0), .rng = rng});
  CHECK(shares == Shares{{"a", 3000}, {"b", 1000}, {"c", 1000}});
}

TEST_CASE("EqualHostsBesideABusyOneShareEvenly") {
  Rng rng(1);
  const auto table =
      table_of({endpoint("a"), endpoint("b"), endpoint("c"), endpoint("d")}, kLeast, rng);
  for (int i = 0; i < 5; ++i) host_named(orders(table), "b").enter();
  const auto shares = pick_many(orders(table), 3000, {.now = at(0), .rng = rng});
  CHECK(shares.size() == 3);
  for (const char* instance : {"a", "c", "d"}) CHECK(std::abs(shares.at(instance) - 1000) <= 1);
}

TEST_CASE("SlowHostGetsLessThanATenthOfEachFastOne") {
  Rng rng(9);
  const auto table = table_of({endpoint("a"), endpoint("b"), endpoint("c")}, kLeast, rng);
  const auto shares =
      closed_loop(orders(table), 64, seconds{5}, rng,
                  {{"a", milliseconds{2}}, {"b", milliseconds{2}}, {"c", milliseconds{200}}});
  CHECK(shares.at("c") * 10 < shares.at("a"));
  CHECK(shares.at("c") * 10 < shares.at("b"));
  CHECK(shares.at("a") == doctest::Approx(shares.at("b")).epsilon(0.02));
}

TEST_CASE("LeastConnectionPassesOverOpenBreakersOfIdleHosts") {
  Rng rng(2);
  const auto table = table_of({endpoint("a"), endpoint("b")}, kLeast, rng);
  open_breaker(orders(table), "a", at(0));
  CHECK(pick_many(orders(table), 50, {.now = at(1), .rng = rng}) == Shares{{"b", 50}});
}

TEST_CASE("HostIsEnteredOnlyByACountThatStillHolds") {
  Rng rng(1);
  const auto table = table_of({endpoint("a")}, kLeast, rng);
  Host& host = host_named(orders(table), "a");
  CHECK(host.enter_if_at_most(0));
  CHECK_FALSE(host.enter_if_at_most(0));
  CHECK(host.in_flight() == 1);
  CHECK(host.enter_if_at_most(3));
  CHECK(host.in_flight() == 2);
}

TEST_CASE("RefusedClaimLeavesNothingInFlight") {
  Rng rng(1);
  const auto table = table_of({endpoint("a")}, kLeast, rng);
  const Candidate& a = orders(table).candidates()[0];
  open_breaker(orders(table), "a", at(0));
  const PickContext context{.now = at(1), .rng = rng};
  const auto refused = claim_at_most(orders(table), a, 0, context);
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == ClaimFailure::kRefused);
  CHECK_FALSE(claim(orders(table), a, context));
  CHECK(a.host->in_flight() == 0);
  a.host->enter();
  CHECK(claim_at_most(orders(table), a, 0, context).error() == ClaimFailure::kBusier);
  CHECK(a.host->in_flight() == 1);
}

TEST_CASE("BeyondSixtyFourHostsTwoChoicesKeepTheLoadEven") {
  Rng rng(4);
  const auto table = table_of(many(200), kLeast, rng);
  for (int i = 0; i < 200 * 50; ++i) {
    REQUIRE(pick(orders(table), {.now = at(0), .rng = rng}));
  }
  // One choice would leave a spread of about 50 +- 20; two choices a handful.
  for (const HostEntry& entry : orders(table).hosts()) {
    CHECK(entry.host->in_flight() >= 44);
    CHECK(entry.host->in_flight() <= 56);
  }
}

TEST_CASE("BeyondSixtyFourHostsTheLastUsableOneIsFound") {
  Rng rng(4);
  const auto table = table_of(many(100), kLeast, rng);
  for (const HostEntry& entry : orders(table).hosts()) {
    if (entry.endpoint.instance != "i1042") {
      open_breaker(orders(table), entry.endpoint.instance, at(0));
    }
  }
  CHECK(pick_many(orders(table), 50, {.now = at(1), .rng = rng}) == Shares{{"i1042", 50}});
}

TEST_CASE("SixtyFourHostsAreAllLookedAt") {
  Rng rng(4);
  const auto table = table_of(many(64), kLeast, rng);
  for (const HostEntry& entry : orders(table).hosts()) {
    if (entry.endpoint.instance != "i1063") entry.host->enter();
  }
  CHECK(pick(orders(table), {.now = at(0), .rng = rng})->host->endpoint.instance == "i1063");
}

}  // namespace
}  // namespace ringside::balancer
