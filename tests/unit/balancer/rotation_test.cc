#include <doctest/doctest.h>

#include <array>
#include <cstdlib>

#include "balancer/policies/rotation.h"
#include "tests/unit/balancer/support.h"

namespace ringside::balancer {
namespace {

using namespace test;
using config::Balance;

TEST_CASE("RoundRobinSharesExactly") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    const auto table = table_of({endpoint("a", 1), endpoint("b", 900), endpoint("c")},
                                settings_with(Balance::kRoundRobin), rng);
    const auto shares = pick_many(orders(table), 5000, {.now = at(0), .rng = rng});
    for (const char* instance : {"a", "b", "c"}) {
      CHECK(std::abs(shares.at(instance) - 1667) <= 1);
    }
  }
}

TEST_CASE("WeightedSharesExactly") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    const auto table = table_of({endpoint("a", 300), endpoint("b", 100), endpoint("c", 100)},
                                settings_with(Balance::kWeighted), rng);
    const auto shares = pick_many(orders(table), 5000, {.now = at(0), .rng = rng});
    CHECK(shares == Shares{{"a", 3000}, {"b", 1000}, {"c", 1000}});
  }
}

TEST_CASE("ShareOfAnOpenBreakerGoesToAllOthersAlike") {
  Rng rng(3);
  const auto table = table_of({endpoint("a"), endpoint("b"), endpoint("c"), endpoint("d")},
                              settings_with(Balance::kRoundRobin), rng);
  open_breaker(orders(table), "b", at(0));
  const auto shares = pick_many(orders(table), 3000, {.now = at(1), .rng = rng});
  CHECK(shares.size() == 3);
  for (const char* instance : {"a", "c", "d"}) CHECK(std::abs(shares.at(instance) - 1000) <= 1);
}

TEST_CASE("WeightedShareOfAnOpenBreakerKeepsTheRatioOfTheOthers") {
  Rng rng(3);
  const auto table = table_of({endpoint("a", 500), endpoint("b", 200), endpoint("c", 100)},
                              settings_with(Balance::kWeighted), rng);
  open_breaker(orders(table), "a", at(0));
  const auto shares = pick_many(orders(table), 3000, {.now = at(1), .rng = rng});
  CHECK(shares.size() == 2);
  CHECK(std::abs(shares.at("b") - 2000) <= 1);
  CHECK(std::abs(shares.at("c") - 1000) <= 1);
}

TEST_CASE("OpenBreakerOfAVeryHeavyHostLeavesTheOthersTheirRatio") {
  // a has 1000 of 1004 slots: the walk along the schedule gives up and draws by weight.
  Rng rng(5);
  const auto table = table_of({endpoint("a", 1000), endpoint("b", 3), endpoint("c", 1)},
                              settings_with(Balance::kWeighted), rng);
  open_breaker(orders(table), "a", at(0));
  const auto shares = pick_many(orders(table), 8000, {.now = at(1), .rng = rng});
  CHECK(shares.size() == 2);
  CHECK(shares.at("b") == doctest::Approx(6000).epsilon(0.03));
}

TEST_CASE("TriedHostsAreNeverPickedAgain") {
  Rng rng(3);
  for (const Balance balance :
       {Balance::kRoundRobin, Balance::kWeighted, Balance::kLeastConnection}) {
    const auto table = table_of({endpoint("a", 1000), endpoint("b", 1), endpoint("c", 1)},
                                settings_with(balance), rng);
    const std::array<const Host*, 2> tried{&host_named(orders(table), "a"),
                                           &host_named(orders(table), "c")};
    const auto shares = pick_many(orders(table), 100, {.now = at(0), .rng = rng, .tried = tried});
    CHECK(shares == Shares{{"b", 100}});
  }
}

TEST_CASE("StartOfTheScheduleIsDrawnAnew") {
  // Many callers that begin at the same moment must not all begin with the same host.
  Shares first;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Rng rng(seed);
    const auto table = table_of({endpoint("a"), endpoint("b"), endpoint("c")},
                                settings_with(Balance::kRoundRobin), rng);
    const auto picked = pick(orders(table), {.now = at(0), .rng = rng});
    ++first[picked->host->endpoint.instance];
    report(*picked, Outcome::kSuccess, milliseconds{1}, at(0));
  }
  for (const char* instance : {"a", "b", "c"}) CHECK(first[instance] > 60);
}

TEST_CASE("SameSeedGivesTheSamePicks") {
  for (const Balance balance :
       {Balance::kRoundRobin, Balance::kWeighted, Balance::kLeastConnection}) {
    std::array<std::string, 2> runs;
    for (std::string& run : runs) {
      Rng rng(42);
      const auto table = table_of({endpoint("a", 3), endpoint("b", 2), endpoint("c", 7)},
                                  settings_with(balance), rng);
      for (int i = 0; i < 200; ++i) {
        const auto picked = pick(orders(table), {.now = at(i), .rng = rng});
        run += picked->host->endpoint.instance;
        if (i % 3 != 0) report(*picked, Outcome::kSuccess, milliseconds{1}, at(i));
      }
    }
    CHECK(runs[0] == runs[1]);
  }
}

}  // namespace
}  // namespace ringside::balancer
