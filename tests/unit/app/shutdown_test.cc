#include <doctest/doctest.h>

#include "sidecar/app/shutdown.h"

namespace ringside::app {

namespace {

using Step = Shutdown::Step;

struct Fixture {
  Shutdown shutdown{config::Drain{milliseconds{30'000}, milliseconds{5'000}}};
  Instant now{seconds{10}};
  Shutdown::World world;

  Step after(milliseconds time) {
    now += time;
    return shutdown.advance(now, world);
  }
};

}  // namespace

TEST_CASE("ACleanStopTakesItsStepsInOrder") {
  Fixture f;
  CHECK(f.after(milliseconds{100}) == Step::kServing);
  CHECK(f.shutdown.begin(f.now));
  CHECK_FALSE(f.shutdown.begin(f.now));
  f.world.leading = true;
  CHECK(f.after(milliseconds{10}) == Step::kAnnouncing);
  f.world.entry_settled = true;
  CHECK(f.after(milliseconds{10}) == Step::kSettling);
  CHECK(f.after(milliseconds{4'999}) == Step::kSettling);
  CHECK(f.after(milliseconds{1}) == Step::kLeaving);
  f.world.left = true;
  CHECK(f.after(milliseconds{10}) == Step::kHandingOver);
  f.world.leading = false;
  CHECK(f.after(milliseconds{10}) == Step::kFinishing);
  f.world.idle = true;
  CHECK(f.after(milliseconds{10}) == Step::kDone);
}

TEST_CASE("NobodyToTellMeansNoWaiting") {
  Fixture f;
  f.shutdown.begin(f.now);
  f.world = {true, true, true, false, true};
  CHECK(f.after(milliseconds{1}) == Step::kDone);
}

TEST_CASE("ALostRingDelaysAStopByItsOwnLimitsOnly") {
  Fixture f;
  f.shutdown.begin(f.now);
  CHECK(f.after(Shutdown::kRingAnswer) == Step::kSettling);
  CHECK(f.after(milliseconds{5'000}) == Step::kLeaving);
  CHECK(f.after(Shutdown::kRingAnswer) == Step::kFinishing);
}

TEST_CASE("TheDrainTimeoutEndsEverything") {
  Fixture f;
  f.shutdown.begin(f.now);
  f.world = {true, true, true, false, false};
  CHECK(f.after(milliseconds{29'999}) == Step::kFinishing);
  CHECK(f.after(milliseconds{1}) == Step::kDone);
}

}  // namespace ringside::app
