// Failures in a row, probes, generations and reloads. The ratios are in breaker_ratio_test.cc.
#include <doctest/doctest.h>

#include "tests/unit/balancer/breaker_play.h"

namespace ringside::balancer {
namespace {

using namespace test;
using enum BreakerState;

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

TEST_CASE("WhoWaitedMayGoWhileItIsClosedOrInTheLifeThatAdmittedIt") {
  Play play(three_in_a_row());
  const auto early = play.breaker.admit(play.settings, at(0))->stamp;
  CHECK(play.breaker.still_admits(play.settings, early));
  for (int i = 0; i < 3; ++i) {
    const auto stamp = play.breaker.admit(play.settings, at(0))->stamp;
    play.breaker.record(play.settings, stamp, Outcome::kFailure, milliseconds{1}, at(0));
  }
  REQUIRE(play.breaker.state(play.settings) == kOpen);
  CHECK_FALSE(play.breaker.still_admits(play.settings, early));
  const Instant later = at(0) + play.settings.open_for;
  const auto probe = play.breaker.admit(play.settings, later)->stamp;
  REQUIRE(probe.probe);
  CHECK(play.breaker.still_admits(play.settings, probe));
  CHECK_FALSE(play.breaker.still_admits(play.settings, early));
  play.breaker.record(play.settings, probe, Outcome::kSuccess, milliseconds{1}, later);
  REQUIRE(play.breaker.state(play.settings) == kClosed);
  CHECK(play.breaker.still_admits(play.settings, early));
  config::CircuitBreaker off;
  off.consecutive_failures = 0;
  off.failure_ratio = off.slow_ratio = 0;
  CHECK(play.breaker.still_admits(off, {}));
}

}  // namespace
}  // namespace ringside::balancer
