#include "sidecar/proxy/deadlines.h"

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "config/base/rng.h"

namespace ringside::proxy {

namespace {

constexpr Instant kStart{seconds{1000}};

struct Alarm final : Deadlines::Entry {
  std::vector<Instant> fired;
  std::function<void(Instant)> then;
  void on_deadline(Instant now) override {
    fired.push_back(now);
    if (then) {
      then(now);
    }
  }
};

// Turns the wheel whenever it asks for it, until `end`.
void run(Deadlines& wheel, Instant end) {
  for (Instant next = wheel.next(); next <= end; next = wheel.next()) {
    wheel.fire(next);
  }
  wheel.fire(end);
}

}  // namespace

TEST_CASE("ADeadlineIsNeverEarlyAndAtMostASlotLate") {
  for (const auto delay : {milliseconds{1}, milliseconds{7}, milliseconds{8}, milliseconds{500},
                           milliseconds{60'000}, milliseconds{3'600'000}}) {
    Deadlines wheel(kStart);
    Alarm alarm;
    wheel.arm(alarm, kStart + delay);
    run(wheel, kStart + delay + Deadlines::kSlot);
    REQUIRE(alarm.fired.size() == 1);
    CHECK(alarm.fired[0] >= kStart + delay);
    CHECK(alarm.fired[0] <= kStart + delay + Deadlines::kSlot);
    CHECK(wheel.next() == kNever);
  }
}

TEST_CASE("OneThatMovesOnFiresAtItsLastTimeOnly") {
  Deadlines wheel(kStart);
  Alarm alarm;
  for (int i = 0; i < 100; ++i) {
    wheel.arm(alarm, kStart + seconds{1} + milliseconds{10 * i});
  }
  run(wheel, kStart + seconds{1} + milliseconds{980});
  CHECK(alarm.fired.empty());
  run(wheel, kStart + seconds{2});
  CHECK(alarm.fired.size() == 1);
}

TEST_CASE("OneThatMovesAheadFiresAhead") {
  Deadlines wheel(kStart);
  Alarm alarm;
  wheel.arm(alarm, kStart + seconds{300});
  wheel.arm(alarm, kStart + milliseconds{20});
  CHECK(wheel.next() <= kStart + milliseconds{20} + Deadlines::kSlot);
  run(wheel, kStart + milliseconds{40});
  CHECK(alarm.fired.size() == 1);
}

TEST_CASE("ADisarmedOrDestroyedEntryIsSilent") {
  Deadlines wheel(kStart);
  Alarm disarmed;
  wheel.arm(disarmed, kStart + milliseconds{10});
  wheel.disarm(disarmed);
  CHECK_FALSE(disarmed.armed());
  {
    Alarm gone;
    wheel.arm(gone, kStart + milliseconds{10});
  }
  run(wheel, kStart + seconds{1});
  CHECK(disarmed.fired.empty());
  CHECK(wheel.next() == kNever);
}

TEST_CASE("ACallbackMayDestroyAnotherEntryOfTheSameSlotAndArmItself") {
  Deadlines wheel(kStart);
  auto first = std::make_unique<Alarm>();
  auto second = std::make_unique<Alarm>();
  int fired = 0;
  first->then = [&](Instant now) {
    ++fired;
    second.reset();
    if (fired < 3) {
      wheel.arm(*first, now);
    }
  };
  second->then = [&](Instant) {
    ++fired;
    first.reset();
  };
  wheel.arm(*first, kStart + milliseconds{5});
  wheel.arm(*second, kStart + milliseconds{5});
  run(wheel, kStart + seconds{1});
  CHECK(fired == 3);
}

TEST_CASE("AWheelMayBeDestroyedBeforeItsEntries") {
  Alarm alarm;
  {
    Deadlines wheel(kStart);
    wheel.arm(alarm, kStart + seconds{1});
  }
  CHECK_FALSE(alarm.armed());
}

TEST_CASE("ALongSilenceLosesNothing") {
  Deadlines wheel(kStart);
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (int i = 0; i < 100; ++i) {
    alarms.push_back(std::make_unique<Alarm>());
    wheel.arm(*alarms.back(), kStart + seconds{i});
  }
  wheel.fire(kStart + seconds{1000});
  wheel.fire(kStart + seconds{1001});
  for (const auto& alarm : alarms) {
    CHECK(alarm->fired.size() == 1);
  }
}

TEST_CASE("ManyRandomDeadlinesAllFireInTime") {
  Rng rng(7);
  Deadlines wheel(kStart);
  std::vector<std::unique_ptr<Alarm>> alarms;
  std::map<Alarm*, Instant> due;
  for (int i = 0; i < 500; ++i) {
    alarms.push_back(std::make_unique<Alarm>());
  }
  Instant now = kStart;
  for (int round = 0; round < 2000; ++round) {
    Alarm& alarm = *alarms[rng.below(alarms.size())];
    const Instant when = now + milliseconds{rng.between(1, 20'000)};
    if (alarm.fired.empty()) {
      wheel.arm(alarm, when);
      due[&alarm] = when;
    }
    now += milliseconds{rng.between(0, 10)};
    wheel.fire(now);
    for (auto& [one, at] : due) {
      if (!one->fired.empty()) {
        CHECK(one->fired[0] >= at);
      }
      CHECK((at + Deadlines::kSlot > now || one->fired.size() == 1));
    }
  }
}

}  // namespace ringside::proxy
