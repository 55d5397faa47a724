#include <doctest/doctest.h>

#include <deque>

#include "balancer/breaker/window.h"
#include "config/base/rng.h"
#include "tests/unit/balancer/support.h"

namespace ringside::balancer {
namespace {

using namespace test;

constexpr Duration kTenSeconds = seconds{10};

TEST_CASE("WindowCountsCallsFailuresAndSlowOnesApart") {
  ResultWindow window;
  window.add(kTenSeconds, at(0), false, false);
  window.add(kTenSeconds, at(1), true, false);
  window.add(kTenSeconds, at(2), false, true);
  window.add(kTenSeconds, at(3), true, true);
  CHECK(window.totals(kTenSeconds, at(4)) == WindowTotals{.calls = 4, .failed = 2, .slow = 2});
}

TEST_CASE("WindowForgetsByTenths") {
  ResultWindow window;
  window.add(kTenSeconds, at(999), true, false);
  window.add(kTenSeconds, at(1000), true, false);
  CHECK(window.totals(kTenSeconds, at(9999)).calls == 2);
  CHECK(window.totals(kTenSeconds, at(10000)).calls == 1);
  CHECK(window.totals(kTenSeconds, at(11000)).calls == 0);
  CHECK(window.may_hold_bad(kTenSeconds, at(10999)));
  CHECK_FALSE(window.may_hold_bad(kTenSeconds, at(11000)));
}

TEST_CASE("WindowEqualsAPlainListOfResults") {
  struct Result {
    std::int64_t second;
    bool failed;
    bool slow;
  };
  Rng rng(17);
  ResultWindow window;
  std::deque<Result> results;
  std::int64_t ms = 0;
  for (int i = 0; i < 20000; ++i) {
    ms += rng.chance(0.001) ? rng.between(0, 40000) : rng.between(0, 200);
    const Result result{.second = ms / 1000, .failed = rng.chance(0.3), .slow = rng.chance(0.1)};
    window.add(kTenSeconds, at(ms), result.failed, result.slow);
    results.push_back(result);
    while (results.front().second <= ms / 1000 - 10) results.pop_front();
    WindowTotals expected;
    for (const Result& one : results) {
      ++expected.calls;
      expected.failed += one.failed ? 1U : 0U;
      expected.slow += one.slow ? 1U : 0U;
    }
    REQUIRE(window.totals(kTenSeconds, at(ms)) == expected);
    if (expected.failed + expected.slow > 0) REQUIRE(window.may_hold_bad(kTenSeconds, at(ms)));
  }
}

TEST_CASE("ClearedWindowIsEmptyAndCountsAnew") {
  ResultWindow window;
  window.add(kTenSeconds, at(0), true, true);
  window.clear();
  CHECK(window.totals(kTenSeconds, at(0)) == WindowTotals{});
  CHECK_FALSE(window.may_hold_bad(kTenSeconds, at(0)));
  window.add(kTenSeconds, at(0), true, false);
  CHECK(window.totals(kTenSeconds, at(0)) == WindowTotals{.calls = 1, .failed = 1, .slow = 0});
}

TEST_CASE("WindowOfAnotherLengthStartsAnew") {
  ResultWindow window;
  window.add(kTenSeconds, at(100000), true, false);
  CHECK(window.totals(seconds{1}, at(100000)).calls == 0);
  window.add(seconds{1}, at(100000), true, false);
  CHECK(window.totals(seconds{1}, at(100000)).calls == 1);
  window.add(seconds{60}, at(100000), true, false);
  CHECK(window.totals(seconds{60}, at(100000)).calls == 1);
}

TEST_CASE("FullBucketKeepsItsRatio") {
  ResultWindow window;
  for (int i = 0; i < 2'200'000; ++i) window.add(kTenSeconds, at(0), i % 2 == 0, false);
  const WindowTotals totals = window.totals(kTenSeconds, at(0));
  CHECK(totals.calls > 2'000'000);
  CHECK(totals.calls < 2'097'152);
  CHECK(totals.failed * 2 == totals.calls + totals.calls % 2);
  CHECK(totals.slow == 0);
}

}  // namespace
}  // namespace ringside::balancer
