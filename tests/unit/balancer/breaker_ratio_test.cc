// The breaker by failure ratio and slow-call ratio. Failures in a row are in breaker_test.cc.
#include <doctest/doctest.h>

#include "tests/unit/balancer/breaker_play.h"

namespace ringside::balancer {
namespace {

using namespace test;
using enum BreakerState;

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

}  // namespace
}  // namespace ringside::balancer
