#include "sidecar/app/pace.h"

#include <doctest/doctest.h>

namespace ringside::app {

namespace {

constexpr Instant kBegin{seconds{100}};

}  // namespace

TEST_CASE("WhatIsInMotionIsLookedAtOften") {
  Pace pace;
  pace.ticked(kBegin, true);
  CHECK(pace.due() == kBegin + Pace::kTick);
}

TEST_CASE("InCalmTheTickComesWithTheRingsHeartbeat") {
  Pace pace;
  pace.ticked(kBegin, false);
  CHECK(pace.due() == kBegin + Pace::kCalm);
  const Instant heartbeat = kBegin + milliseconds{100};
  pace.along(heartbeat);
  CHECK(pace.due() == heartbeat);
}

TEST_CASE("ManyWordsOfTheRingMakeNoMoreTicks") {
  Pace pace;
  pace.ticked(kBegin, false);
  for (int ms = 0; ms < Pace::kTick.count(); ++ms) {
    pace.along(kBegin + milliseconds{ms});
  }
  CHECK(pace.due() == kBegin + Pace::kCalm);
}

TEST_CASE("AChangeIsLookedAtSoonAndNeverLaterThanItWas") {
  Pace pace;
  pace.ticked(kBegin, false);
  pace.soon();
  CHECK(pace.due() == kBegin + Pace::kTick);
  pace.along(kBegin + milliseconds{60});
  CHECK(pace.due() == kBegin + Pace::kTick);
}

TEST_CASE("WhoWaitsIsLookedAtAtOnce") {
  Pace pace;
  pace.ticked(kBegin, false);
  pace.at_once(kBegin + milliseconds{1});
  CHECK(pace.due() == kBegin + milliseconds{1});
}

}  // namespace ringside::app
