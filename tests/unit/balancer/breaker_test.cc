// The breaker as a table: at a time an act, then the state it must be in. Calls are numbered in the
// order in which they begin, so that a row can end any of them, late ones too.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "balancer/breaker/breaker.h"
#include "tests/unit/balancer/support.h"

namespace ringside::balancer {
namespace {

using namespace test;
using enum BreakerState;
using Reason = BreakerReason;

struct Act {
  enum Kind { kCall, kRejected, kEnd } kind = kCall;
  std::size_t call = 0;  // kEnd: which
  Outcome outcome = Outcome::kSuccess;
  milliseconds took{1};
};

constexpr Act call() {
  return {.kind = Act::kCall};
}
constexpr Act rejected() {
  return {.kind = Act::kRejected};
}
constexpr Act good(std::size_t call) {
  return {.kind = Act::kEnd, .call = call};
}
constexpr Act bad(std::size_t call) {
  return {.kind = Act::kEnd, .call = call, .outcome = Outcome::kFailure};
}
constexpr Act neutral(std::size_t call) {
  return {.kind = Act::kEnd, .call = call, .outcome = Outcome::kNeutral};
}
constexpr Act slow(std::size_t call) {
  return {.kind = Act::kEnd, .call = call, .took = milliseconds{5000}};
}

struct Row {
  std::int64_t ms;
  Act act;
  BreakerState after;
  std::optional<Reason> reason = std::nullopt;  // of the transition that this act makes
  milliseconds open_for{0};
};

struct Play {
  explicit Play(config::CircuitBreaker with) : settings(with) {}

  void row(const Row& row) {
    CAPTURE(row.ms);
    std::optional<Transition> transition;
    if (row.act.kind == Act::kEnd) {
      transition = breaker.record(settings, stamps.at(row.act.call), row.act.outcome, row.act.took,
                                  at(row.ms));
    } else {
      const bool would = breaker.would_admit(settings, at(row.ms));
      const auto admission = breaker.admit(settings, at(row.ms));
      CHECK(would == admission.has_value());
      CHECK(admission.has_value() == (row.act.kind == Act::kCall));
      if (admission) {
        stamps.push_back(admission->stamp);
        transition = admission->transition;
      }
    }
    CHECK(std::string(to_string(breaker.state(settings))) == to_string(row.after));
    CHECK(transition.has_value() == row.reason.has_value());
    if (transition && row.reason) {
      CHECK(transition->to == row.after);
      CHECK(std::string(to_string(transition->reason)) == to_string(*row.reason));
      CHECK(transition->open_for == row.open_for);
    }
  }

  void rows(const std::vector<Row>& script) {
    for (std::size_t i = 0; i < script.size(); ++i) {
      CAPTURE(i);
      row(script[i]);
    }
  }

  // `count` calls that end at once, all at `ms`.
  void many(std::int64_t ms, int count, Outcome outcome, milliseconds took = milliseconds{1}) {
    for (int i = 0; i < count; ++i) {
      const auto admission = breaker.admit(settings, at(ms));
      REQUIRE(admission);
      CHECK_FALSE(breaker.record(settings, admission->stamp, outcome, took, at(ms)));
    }
  }

  config::CircuitBreaker settings;
  Breaker breaker;
  std::vector<BreakerStamp> stamps;
};

config::CircuitBreaker three_in_a_row(int probes = 1) {
  config::CircuitBreaker settings;
  settings.consecutive_failures = 3;
  settings.failure_ratio = 0;
  settings.half_open_requests = probes;
  return settings;
}

TEST_CASE("BreakerOpensAtFailuresInARow") {
  Play play(three_in_a_row());
  play.rows({{0, call(), kClosed},
             {0, call(), kClosed},
             {0, call(), kClosed},
             {0, call(), kClosed},
             {0, call(), kClosed},
             {0, call(), kClosed},
             {10, bad(0), kClosed},
             {11, bad(1), kClosed},
             {12, good(2), kClosed},  // the row is broken
             {13, bad(3), kClosed},
             {14, bad(4), kClosed},
             {15, bad(5), kOpen, Reason::kConsecutiveFailures, seconds{5}},
             {16, rejected(), kOpen}});
}

TEST_CASE("NeutralOutcomesNeitherCountNorBreakTheRow") {
  Play play(three_in_a_row());
  play.rows({{0, call(), kClosed},
             {0, call(), kClosed},
             {0, call(), kClosed},
             {0, call(), kClosed},
             {1, bad(0), kClosed},
             {2, bad(1), kClosed},
             {3, neutral(2), kClosed},
             {4, bad(3), kOpen, Reason::kConsecutiveFailures, seconds{5}}});
}

TEST_CASE("OpenAdmitsOneProbeWhenItsTimeIsOver") {
  Play play(three_in_a_row());
  play.many(0, 2, Outcome::kFailure);
  play.rows({{0, call(), kClosed},
             {100, bad(0), kOpen, Reason::kConsecutiveFailures, seconds{5}},
             {5099, rejected(), kOpen},
             {5100, call(), kHalfOpen, Reason::kOpenTimeOver},
             {5100, rejected(), kHalfOpen},
             {9999, rejected(), kHalfOpen},
             {10000, good(1), kClosed, Reason::kProbesGood},
             {10000, call(), kClosed}});
}

TEST_CASE("OpenTimeDoublesWhileProbesFailAndBeginsAnewAfterClosing") {
  Play play(three_in_a_row());
  play.settings.open_for = seconds{1};
  play.settings.open_for_max = seconds{5};
  play.many(0, 2, Outcome::kFailure);
  play.rows({{0, call(), kClosed},
             {0, bad(0), kOpen, Reason::kConsecutiveFailures, seconds{1}},
             {1000, call(), kHalfOpen, Reason::kOpenTimeOver},
             {1000, bad(1), kOpen, Reason::kProbeFailed, seconds{2}},
             {2999, rejected(), kOpen},
             {3000, call(), kHalfOpen, Reason::kOpenTimeOver},
             {3000, bad(2), kOpen, Reason::kProbeFailed, seconds{4}},
             {7000, call(), kHalfOpen, Reason::kOpenTimeOver},
             {7000, bad(3), kOpen, Reason::kProbeFailed, seconds{5}},
             {12000, call(), kHalfOpen, Reason::kOpenTimeOver},
             {12000, bad(4), kOpen, Reason::kProbeFailed, seconds{5}},
             {17000, call(), kHalfOpen, Reason::kOpenTimeOver},
             {17000, good(5), kClosed, Reason::kProbesGood}});
  play.many(17000, 2, Outcome::kFailure);
  play.rows(
      {{17000, call(), kClosed}, {17000, bad(6), kOpen, Reason::kConsecutiveFailures, seconds{1}}});
}

TEST_CASE("AllProbesMustBeGoodToClose") {
  Play play(three_in_a_row(3));
  play.many(0, 2, Outcome::kFailure);
  play.rows({{0, call(), kClosed},
             {0, bad(0), kOpen, Reason::kConsecutiveFailures, seconds{5}},
             {5000, call(), kHalfOpen, Reason::kOpenTimeOver},  // 1
             {5000, call(), kHalfOpen},                         // 2
             {5001, good(1), kHalfOpen},
             {5002, call(), kHalfOpen},      // 3
             {5002, rejected(), kHalfOpen},  // two out and one good are three
             {5003, good(3), kHalfOpen},
             {5003, rejected(), kHalfOpen},
             {5004, good(2), kClosed, Reason::kProbesGood}});
}

TEST_CASE("OneBadProbeOpensAgainAndTheOthersCountNoMore") {
  Play play(three_in_a_row(3));
  play.many(0, 2, Outcome::kFailure);
  play.rows({{0, call(), kClosed},
             {0, bad(0), kOpen, Reason::kConsecutiveFailures, seconds{5}},
             {5000, call(), kHalfOpen, Reason::kOpenTimeOver},
             {5000, call(), kHalfOpen},
             {5000, call(), kHalfOpen},
             {5001, good(1), kHalfOpen},
             {5002, bad(2), kOpen, Reason::kProbeFailed, seconds{10}},
             {5003, bad(3), kOpen},  // late: no second opening
             {15002, call(), kHalfOpen, Reason::kOpenTimeOver}});
}

TEST_CASE("AbandonedProbeIsGivenBack") {
  Play play(three_in_a_row());
  play.many(0, 2, Outcome::kFailure);
  play.rows({{0, call(), kClosed},
             {0, bad(0), kOpen, Reason::kConsecutiveFailures, seconds{5}},
             {5000, call(), kHalfOpen, Reason::kOpenTimeOver},
             {5001, rejected(), kHalfOpen},
             {5002, neutral(1), kHalfOpen},
             {5003, call(), kHalfOpen},
             {5004, good(2), kClosed, Reason::kProbesGood}});
}

TEST_CASE("LateResultsOfAnEarlierLifeAreIgnored") {
  Play play(three_in_a_row());
  play.rows({{0, call(), kClosed},  // 0 to 3 end in other lives than they began in
             {0, call(), kClosed},
             {0, call(), kClosed},
             {0, call(), kClosed}});
  play.many(0, 2, Outcome::kFailure);
  play.rows({{0, call(), kClosed},
             {0, bad(4), kOpen, Reason::kConsecutiveFailures, seconds{5}},
             {1, good(0), kOpen},
             {5000, call(), kHalfOpen, Reason::kOpenTimeOver},  // 5
             {5001, bad(1), kHalfOpen},                         // not the probe: no opening
             {5002, good(2), kHalfOpen},                        // nor a closing
             {5003, neutral(3), kHalfOpen},
             {5004, rejected(), kHalfOpen},  // and no probe given back
             {5005, good(5), kClosed, Reason::kProbesGood},
             {5006, good(5), kClosed}});
}

TEST_CASE("FailureOfAnEarlierClosedLifeDoesNotCountInTheNext") {
  Play play(three_in_a_row());
  play.rows({{0, call(), kClosed}, {0, call(), kClosed}});
  play.many(0, 2, Outcome::kFailure);
  play.rows({{0, call(), kClosed},
             {0, bad(2), kOpen, Reason::kConsecutiveFailures, seconds{5}},
             {5000, call(), kHalfOpen, Reason::kOpenTimeOver},
             {5000, good(3), kClosed, Reason::kProbesGood}});
  play.many(5001, 2, Outcome::kFailure);
  play.rows({{5002, bad(0), kClosed}, {5002, bad(1), kClosed}});
  play.rows(
      {{5003, call(), kClosed}, {5003, bad(4), kOpen, Reason::kConsecutiveFailures, seconds{5}}});
}

config::CircuitBreaker half_of_twenty() {
  config::CircuitBreaker settings;
  settings.consecutive_failures = 0;
  return settings;  // 0.5 of at least 20 in 10 s
}

TEST_CASE("FailureRatioNeedsItsVolume") {
  Play play(half_of_twenty());
  play.many(0, 19, Outcome::kFailure);
  play.rows({{0, call(), kClosed}, {1, bad(0), kOpen, Reason::kFailureRatio, seconds{5}}});
}

TEST_CASE("FailureRatioOpensAtItsValueAndNotBelow") {
  Play play(half_of_twenty());
  play.many(0, 11, Outcome::kSuccess);
  play.many(0, 10, Outcome::kFailure);  // 10 of 21
  play.rows({{0, call(), kClosed}, {1, bad(0), kOpen, Reason::kFailureRatio, seconds{5}}});
}

TEST_CASE("GoodResultThatCompletesTheVolumeOpensToo") {
  Play play(half_of_twenty());
  play.many(0, 15, Outcome::kFailure);
  play.many(0, 4, Outcome::kSuccess);
  play.rows({{0, call(), kClosed}, {1, good(0), kOpen, Reason::kFailureRatio, seconds{5}}});
}

TEST_CASE("FailuresLeaveTheWindowAfterItsLength") {
  Play play(half_of_twenty());
  play.many(500, 19, Outcome::kFailure);
  play.many(10500, 10, Outcome::kSuccess);  // the first tenth is out of the window now
  play.many(10500, 9, Outcome::kFailure);
  play.rows({{10500, call(), kClosed}, {10500, bad(0), kOpen, Reason::kFailureRatio, seconds{5}}});
}

TEST_CASE("NeutralOutcomesAreNoVolume") {
  Play play(half_of_twenty());
  play.many(0, 19, Outcome::kFailure);
  play.many(0, 100, Outcome::kNeutral);
  CHECK(play.breaker.state(play.settings) == kClosed);
}

TEST_CASE("ClosingEmptiesTheWindow") {
  Play play(half_of_twenty());
  play.settings.open_for = milliseconds{100};
  play.many(0, 19, Outcome::kFailure);
  play.rows({{0, call(), kClosed},
             {0, bad(0), kOpen, Reason::kFailureRatio, milliseconds{100}},
             {100, call(), kHalfOpen, Reason::kOpenTimeOver},
             {101, good(1), kClosed, Reason::kProbesGood}});
  play.many(102, 19, Outcome::kFailure);  // would open at the first one if the old ones counted
}

config::CircuitBreaker half_slow() {
  config::CircuitBreaker settings;
  settings.consecutive_failures = 0;
  settings.failure_ratio = 0;
  settings.slow_ratio = 0.5;
  settings.request_volume = 4;
  return settings;
}

TEST_CASE("SlowCallsOpenByTheirRatio") {
  Play play(half_slow());
  play.many(0, 2, Outcome::kSuccess, milliseconds{4999});
  play.many(0, 1, Outcome::kSuccess, milliseconds{5000});
  play.rows({{0, call(), kClosed}, {5000, slow(0), kOpen, Reason::kSlowRatio, seconds{5}}});
}

TEST_CASE("SlowProbeIsABadOne") {
  Play play(half_slow());
  play.many(0, 3, Outcome::kSuccess, milliseconds{6000});
  play.rows({{0, call(), kClosed},
             {0, slow(0), kOpen, Reason::kSlowRatio, seconds{5}},
             {5000, call(), kHalfOpen, Reason::kOpenTimeOver},
             {9000, slow(1), kOpen, Reason::kProbeFailed, seconds{10}}});
}

TEST_CASE("SlowCallsCountForNothingWhenTheirRatioIsOff") {
  Play play(three_in_a_row());
  play.many(0, 100, Outcome::kSuccess, milliseconds{60000});
  CHECK(play.breaker.state(play.settings) == kClosed);
}

TEST_CASE("BreakerWithEveryTriggerOffAdmitsAll") {
  Play play(three_in_a_row());
  play.settings.consecutive_failures = 0;
  play.many(0, 1000, Outcome::kFailure, milliseconds{60000});
  CHECK(play.breaker.state(play.settings) == kClosed);
}

TEST_CASE("SwitchingTheBreakerOffLetsCallsPassAtOnce") {
  Play play(three_in_a_row());
  play.many(0, 2, Outcome::kFailure);
  play.rows({{0, call(), kClosed},
             {0, bad(0), kOpen, Reason::kConsecutiveFailures, seconds{5}},
             {5000, call(), kHalfOpen, Reason::kOpenTimeOver}});
  play.settings.consecutive_failures = 0;
  play.rows({{5001, call(), kClosed}, {5002, bad(2), kClosed}});
  // Its probe is given back although it is off, so that it is not stuck when it is on again.
  play.rows({{5003, neutral(1), kClosed}});
  play.settings.consecutive_failures = 3;
  play.rows({{5004, call(), kHalfOpen}, {5005, good(3), kClosed, Reason::kProbesGood}});
}

TEST_CASE("FewerProbesAfterAReloadDoNotLeaveItStuck") {
  Play play(three_in_a_row(5));
  play.many(0, 2, Outcome::kFailure);
  play.rows({{0, call(), kClosed},
             {0, bad(0), kOpen, Reason::kConsecutiveFailures, seconds{5}},
             {5000, call(), kHalfOpen, Reason::kOpenTimeOver},
             {5000, call(), kHalfOpen},
             {5000, good(1), kHalfOpen},
             {5000, good(2), kHalfOpen}});
  play.settings.half_open_requests = 1;
  play.rows({{5001, call(), kHalfOpen},
             {5001, rejected(), kHalfOpen},
             {5002, neutral(3), kHalfOpen},  // gives back, does not close
             {5003, call(), kHalfOpen},
             {5004, good(4), kClosed, Reason::kProbesGood}});
}

TEST_CASE("OpenForMaxBelowOpenForDoesNotShortenIt") {
  Play play(three_in_a_row());
  play.settings.open_for = seconds{8};
  play.settings.open_for_max = seconds{2};
  play.many(0, 2, Outcome::kFailure);
  play.rows({{0, call(), kClosed},
             {0, bad(0), kOpen, Reason::kConsecutiveFailures, seconds{8}},
             {8000, call(), kHalfOpen, Reason::kOpenTimeOver},
             {8000, bad(1), kOpen, Reason::kProbeFailed, seconds{8}}});
}

TEST_CASE("OpenTimeStaysAtItsMostHoweverManyProbesFail") {
  Play play(three_in_a_row());
  play.settings.open_for = milliseconds{1};
  play.settings.open_for_max = std::chrono::hours{1};
  play.many(0, 2, Outcome::kFailure);
  play.rows(
      {{0, call(), kClosed}, {0, bad(0), kOpen, Reason::kConsecutiveFailures, milliseconds{1}}});
  Instant now = at(0);
  Duration last{0};
  for (int i = 0; i < 100; ++i) {
    now += std::chrono::hours{1};
    const auto admission = play.breaker.admit(play.settings, now);
    REQUIRE(admission);
    const auto opened = play.breaker.record(play.settings, admission->stamp, Outcome::kFailure,
                                            milliseconds{1}, now);
    REQUIRE(opened);
    CHECK(opened->open_for >= last);
    last = opened->open_for;
  }
  CHECK(last == std::chrono::hours{1});
}

}  // namespace
}  // namespace ringside::balancer
