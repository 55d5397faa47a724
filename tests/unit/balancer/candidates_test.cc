// Which hosts may be picked at all: states, panic, draining, and why a pick finds nobody.
#include <doctest/doctest.h>

#include <array>

#include "tests/unit/balancer/support.h"

namespace ringside::balancer {
namespace {

using namespace test;
using enum EndpointState;

struct Row {
  const char* what;
  int up;
  int unhealthy;
  int draining;
  int threshold;
  std::string candidates;  // states, one letter each
  bool panic;
};

std::string states_of(const Upstream& upstream) {
  std::string states;
  for (const Candidate& one : upstream.candidates()) {
    states += to_string(one.entry->endpoint.state)[1] == 'p'   ? 'u'
              : to_string(one.entry->endpoint.state)[0] == 'u' ? 'x'
                                                               : 'd';
  }
  return states;
}

TEST_CASE("CandidatesByStateAndPanicThreshold") {
  const std::vector<Row> rows{
      {"all up", 3, 0, 0, 50, "uuu", false},
      {"half is not below half", 2, 2, 0, 50, "uu", false},
      {"less than half up", 1, 2, 0, 50, "uxx", true},
      {"draining ones do not count as missing", 1, 1, 5, 50, "u", false},
      {"nobody up", 0, 2, 1, 50, "xx", true},
      {"nobody up, lowest threshold", 0, 2, 0, 1, "xx", true},
      {"nobody up, no panic", 0, 2, 0, 0, "", false},
      {"one up of many, no panic", 1, 5, 0, 0, "u", false},
      {"all must be up", 3, 1, 0, 100, "uuux", true},
      {"draining only", 0, 0, 2, 50, "dd", false},
      {"nobody healthy without panic, but one draining", 0, 2, 1, 0, "d", false},
      {"a draining one beside one that is up", 1, 0, 1, 50, "u", false}};
  for (const Row& row : rows) {
    CAPTURE(row.what);
    std::vector<Endpoint> endpoints;
    for (int i = 0; i < row.up; ++i) endpoints.push_back(endpoint("a" + std::to_string(i)));
    for (int i = 0; i < row.unhealthy; ++i) {
      endpoints.push_back(endpoint("b" + std::to_string(i), 100, kUnhealthy));
    }
    for (int i = 0; i < row.draining; ++i) {
      endpoints.push_back(endpoint("c" + std::to_string(i), 100, kDraining));
    }
    Rng rng(1);
    config::Settings settings;
    settings.defaults.panic_threshold = row.threshold;
    const auto table = table_of(endpoints, settings, rng);
    CHECK(states_of(orders(table)) == row.candidates);
    CHECK(orders(table).panic() == row.panic);
    CHECK(orders(table).hosts().size() == endpoints.size());
    CHECK(orders(table).schedule().empty() == row.candidates.empty());
  }
}

TEST_CASE("PickSaysWhyItFoundNobody") {
  for (const auto balance : {config::Balance::kRoundRobin, config::Balance::kWeighted,
                             config::Balance::kLeastConnection}) {
    Rng rng(1);
    auto settings = settings_with(balance);
    settings.defaults.panic_threshold = 0;
    const auto nobody = table_of({endpoint("a", 100, kUnhealthy)}, settings, rng);
    const auto table = table_of({endpoint("a"), endpoint("b")}, settings, rng);
    const Host* a = &host_named(orders(table), "a");
    const Host* b = &host_named(orders(table), "b");
    const std::array<const Host*, 2> both{a, b};
    const std::array<const Host*, 1> only_b{b};
    PickContext context{.now = at(0), .rng = rng};

    CHECK(pick(orders(nobody), context).error() == PickFailure::kNoEndpoints);
    context.tried = both;
    CHECK(pick(orders(table), context).error() == PickFailure::kAllTried);
    open_breaker(orders(table), "a", at(0));
    CHECK(pick(orders(table), context).error() == PickFailure::kAllTried);
    context.tried = only_b;
    CHECK(pick(orders(table), context).error() == PickFailure::kBreakerOpen);
    context.tried = {};
    open_breaker(orders(table), "b", at(0));
    CHECK(pick(orders(table), context).error() == PickFailure::kBreakerOpen);
    CHECK(in_flight_of_all(orders(table)) == 0);
  }
}

TEST_CASE("PanicNeverOverridesAnOpenBreaker") {
  Rng rng(1);
  const auto table =
      table_of({endpoint("a"), endpoint("b", 100, kUnhealthy), endpoint("c", 100, kUnhealthy)},
               settings_with(config::Balance::kRoundRobin), rng);
  REQUIRE(orders(table).panic());
  open_breaker(orders(table), "b", at(0));
  const auto shares = pick_many(orders(table), 100, {.now = at(1), .rng = rng});
  CHECK(shares == Shares{{"a", 50}, {"c", 50}});
}

TEST_CASE("OpenBreakerOfTheOnlyHostIsProbedWhenItsTimeIsOver") {
  Rng rng(1);
  const auto table = table_of({endpoint("a")}, config::Settings{}, rng);
  open_breaker(orders(table), "a", at(0));
  CHECK(pick(orders(table), {.now = at(4999), .rng = rng}).error() == PickFailure::kBreakerOpen);
  const auto probe = pick(orders(table), {.now = at(5000), .rng = rng});
  REQUIRE(probe);
  CHECK(probe->probe());
  CHECK(pick(orders(table), {.now = at(5000), .rng = rng}).error() == PickFailure::kBreakerOpen);
  report(*probe, Outcome::kSuccess, milliseconds{1}, at(5001));
  CHECK(pick_many(orders(table), 10, {.now = at(5002), .rng = rng}) == Shares{{"a", 10}});
}

}  // namespace
}  // namespace ringside::balancer
