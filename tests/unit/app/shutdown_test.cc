// The steps of a stop in virtual time, as tables.
#include <doctest/doctest.h>

#include <vector>

#include "sidecar/app/shutdown.h"

namespace ringside::app {

namespace {

using Step = Shutdown::Step;
using World = Shutdown::World;

constexpr config::Drain kDrain{milliseconds{30'000}, milliseconds{5'000}};

struct Fixture {
  Shutdown shutdown;
  Instant now{seconds{10}};
  World world;

  Step after(milliseconds time) {
    now += time;
    return shutdown.advance(now, world);
  }
};

// One look: so much later, with one thing of the world changed, the step is that.
struct Look {
  int after_ms;
  bool World::* changed;  // nullptr: nothing
  bool to;
  Step then;
};

void play(Fixture& f, const std::vector<Look>& looks) {
  for (const Look& look : looks) {
    CAPTURE(&look - looks.data());
    if (look.changed != nullptr) {
      f.world.*look.changed = look.to;
    }
    CHECK(f.after(milliseconds{look.after_ms}) == look.then);
  }
}

}  // namespace

TEST_CASE("ACleanStopTakesItsStepsInOrder") {
  Fixture f;
  CHECK(f.after(milliseconds{100}) == Step::kServing);
  f.world.leading = true;
  CHECK(f.shutdown.begin(f.now, kDrain));
  CHECK_FALSE(f.shutdown.begin(f.now, kDrain));
  play(f, {{10, nullptr, false, Step::kHandingOver},
           {10, &World::leading, false, Step::kAnnouncing},
           {10, &World::announced, true, Step::kAcknowledging},
           {9'000, nullptr, false, Step::kAcknowledging},
           {10, &World::acknowledged, true, Step::kLeaving},
           {10, &World::left, true, Step::kEmptying},
           {9'000, nullptr, false, Step::kEmptying},
           {10, &World::emptied, true, Step::kFinishing},
           {10, &World::idle, true, Step::kClosing},
           {10, &World::closed, true, Step::kDone}});
}

TEST_CASE("NobodyToTellMeansNoWaiting") {
  Fixture f;
  f.shutdown.begin(f.now, kDrain);
  f.world = {.announced = true,
             .acknowledged = true,
             .left = true,
             .emptied = true,
             .idle = true,
             .closed = true};
  CHECK(f.after(milliseconds{1}) == Step::kDone);
}

TEST_CASE("WhoWasElectedAgainMeanwhileHandsOverAgainBeforeItEnds") {
  Fixture f;
  f.shutdown.begin(f.now, kDrain);
  f.world = {
      .leading = false, .announced = true, .acknowledged = true, .left = true, .emptied = true};
  play(f, {{10, nullptr, false, Step::kFinishing},
           {10, &World::leading, true, Step::kFinishing},
           {10, &World::idle, true, Step::kClosing},
           {10, &World::closed, true, Step::kParting},
           {10, &World::leading, false, Step::kDone}});
}

TEST_CASE("WhomAllTheOthersLetLeadGoesOnWithItsDrain") {  // they stop as well
  Fixture f;
  f.world.leading = true;
  f.shutdown.begin(f.now, kDrain);
  play(f, {{10, nullptr, false, Step::kHandingOver},
           {10, &World::again, true, Step::kAnnouncing},
           {10, &World::announced, true, Step::kAcknowledging},
           {10, &World::acknowledged, true, Step::kLeaving},
           {10, &World::left, true, Step::kEmptying},
           {10, &World::emptied, true, Step::kFinishing},
           {10, &World::idle, true, Step::kClosing},
           {10, &World::closed, true, Step::kParting},
           {990, nullptr, false, Step::kParting},
           {10, nullptr, false, Step::kDone}});
}

TEST_CASE("ALostRingDelaysAStopByItsOwnLimitsOnly") {
  Fixture f;
  f.world.leading = true;  // nobody takes it
  f.shutdown.begin(f.now, kDrain);
  play(f, {{1'999, nullptr, false, Step::kHandingOver},
           {1, nullptr, false, Step::kAnnouncing},
           {1'999, nullptr, false, Step::kAnnouncing},
           {1, nullptr, false, Step::kAcknowledging},
           {3'000, &World::acknowledged, true, Step::kLeaving},  // by drain.settle
           {2'000, nullptr, false, Step::kEmptying},
           {10, &World::emptied, true, Step::kFinishing},
           {10, &World::idle, true, Step::kClosing},
           {999, nullptr, false, Step::kClosing},
           {1, nullptr, false, Step::kParting},
           {1'000, nullptr, false, Step::kDone}});
}

TEST_CASE("TheDrainTimeoutEndsEverythingButTheFarewell") {
  for (const int held : {0, 1, 2, 3, 4}) {
    CAPTURE(held);
    Fixture f;
    f.shutdown.begin(f.now, kDrain);
    f.world = {.announced = held > 0,
               .acknowledged = held > 1,
               .left = held > 2,
               .emptied = held > 3,
               .idle = false};
    CHECK(f.after(milliseconds{29'999}) < Step::kClosing);
    CHECK(f.after(milliseconds{1}) == Step::kClosing);
    f.world.closed = true;
    CHECK(f.after(milliseconds{1}) == Step::kDone);
  }
}

TEST_CASE("ADrainTimeoutOfZeroWaitsForNothing") {
  Fixture f;
  f.shutdown.begin(f.now, {milliseconds{0}, milliseconds{5'000}});
  CHECK(f.after(milliseconds{0}) == Step::kClosing);
}

TEST_CASE("TheAppEndsAfterTheDrainAndNothingCutsItShort") {
  Fixture f;
  f.world.app_running = true;
  f.shutdown.begin(f.now, kDrain);
  play(f, {{10, nullptr, false, Step::kAnnouncing},
           {10, &World::announced, true, Step::kAcknowledging},
           {10, &World::acknowledged, true, Step::kLeaving},
           {10, &World::left, true, Step::kEmptying},
           {10, &World::emptied, true, Step::kAppEnding},
           {600'000, nullptr, false, Step::kAppEnding},
           {10, &World::app_running, false, Step::kClosing}});  // out of time for the rest
}

TEST_CASE("TheAppGetsItsSignalAtTheDrainTimeoutAtTheLatest") {
  Fixture f;
  f.world.app_running = true;
  f.shutdown.begin(f.now, kDrain);
  CHECK(f.after(milliseconds{10}) == Step::kAnnouncing);
  CHECK(f.after(milliseconds{30'000}) == Step::kAppEnding);
}

TEST_CASE("AnAppThatEndsByItselfIsOutOfTheRegistryAtOnce") {
  Fixture f;
  f.world.app_running = true;
  CHECK(f.after(milliseconds{100}) == Step::kServing);
  f.world.app_running = false;
  f.shutdown.app_ended(f.now, kDrain);
  CHECK(f.shutdown.step() == Step::kLeaving);
  play(f, {{10, nullptr, false, Step::kLeaving},
           {10, &World::left, true, Step::kEmptying},
           {10, &World::emptied, true, Step::kFinishing},
           {10, &World::idle, true, Step::kClosing},
           {10, &World::closed, true, Step::kDone}});
}

TEST_CASE("AnAppThatEndsDuringTheDrainCutsItShort") {
  Fixture f;
  f.world.app_running = true;
  f.shutdown.begin(f.now, kDrain);
  CHECK(f.after(milliseconds{10}) == Step::kAnnouncing);
  f.world.app_running = false;
  f.shutdown.app_ended(f.now, kDrain);
  CHECK(f.shutdown.step() == Step::kLeaving);
  f.world.left = f.world.emptied = true;
  CHECK(f.after(milliseconds{10}) == Step::kFinishing);
  f.shutdown.app_ended(f.now, kDrain);  // said twice: nothing goes back
  CHECK(f.shutdown.step() == Step::kFinishing);
}

}  // namespace ringside::app
