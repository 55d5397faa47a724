#include "sidecar/net/loop.h"

#include <doctest/doctest.h>

#include <memory>
#include <thread>
#include <vector>

#include "net_fixture.h"

namespace ringside::net::test {

TEST_CASE("PostedTasksRunOnTheLoopsThreadInOrder") {
  Loop loop;
  std::vector<int> order;
  std::thread::id ran_on;
  std::thread poster([&] {
    for (int i = 0; i < 1000; ++i) {
      REQUIRE(loop.post([&order, i] { order.push_back(i); }).has_value());
    }
    REQUIRE(loop.post([&] {
                  ran_on = std::this_thread::get_id();
                  loop.stop();
                })
                .has_value());
  });
  loop.run();
  poster.join();
  REQUIRE(order.size() == 1000);
  for (int i = 0; i < 1000; ++i) {
    CHECK(order[static_cast<std::size_t>(i)] == i);
  }
  CHECK(ran_on == std::this_thread::get_id());
}

TEST_CASE("StopBeforeRunReturnsAtOnce") {
  Loop loop;
  loop.stop();
  loop.run();
  bool ran = false;
  REQUIRE(loop.post([&] {
                ran = true;
                loop.stop();
              })
              .has_value());
  loop.run();
  CHECK(ran);
}

TEST_CASE("AFullTaskQueueRefuses") {
  Loop loop;
  for (std::size_t i = 0; i < Loop::kMaxPosted; ++i) {
    REQUIRE(loop.post([] {}).has_value());
  }
  const Status refused = loop.post([] {});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::kTooLarge);
  loop.turn(false);
  CHECK(loop.post([] {}).has_value());
}

TEST_CASE("TasksNeverRunAreDroppedNotCalled") {
  auto alive = std::make_shared<int>(1);
  bool called = false;
  {
    Loop loop;
    REQUIRE(loop.post([alive, &called] { called = true; }).has_value());
  }
  CHECK_FALSE(called);
  CHECK(alive.use_count() == 1);
}

TEST_CASE("ATurnThatWorkedIsObserved") {
  Loop loop;
  std::vector<Duration> turns;
  loop.observe_turns([&](Duration spent) { turns.push_back(spent); });
  loop.turn(false);
  CHECK(turns.empty());
  REQUIRE(loop.post([&] {
                const Instant until = loop.now() + milliseconds{3};
                while (loop.now() < until) {
                }
              })
              .has_value());
  loop.turn(true);
  REQUIRE(turns.size() == 1);
  CHECK(turns[0] >= milliseconds{3});
}

TEST_CASE("ATimerFiresOnceAndNotAfterItIsGone") {
  Loop loop;
  int once = 0;
  int dropped = 0;
  Timer timer(loop, [&] { ++once; });
  timer.start(milliseconds{1});
  auto gone = std::make_unique<Timer>(loop, [&] { ++dropped; });
  gone->start(Duration::zero());
  gone.reset();
  run_until(loop, [&] { return once == 1; });
  CHECK_FALSE(timer.active());
  CHECK(dropped == 0);
}

TEST_CASE("ATimerMayDestroyItselfWhileItFires") {
  Loop loop;
  bool fired = false;
  std::unique_ptr<Timer> timer;
  const auto payload = std::make_shared<int>(7);
  timer = std::make_unique<Timer>(loop, [&, payload] {
    timer.reset();
    fired = *payload == 7;  // captures outlive the timer
  });
  timer->start(Duration::zero());
  run_until(loop, [&] { return fired; });
}

TEST_CASE("ARepeatingTimerRepeatsUntilStopped") {
  Loop loop;
  int count = 0;
  Timer timer(loop, [&] {
    if (++count == 3) {
      timer.stop();
    }
  });
  timer.start_repeating(milliseconds{1});
  run_until(loop, [&] { return count == 3; });
  CHECK_FALSE(timer.active());
}

TEST_CASE("ATimerStartedByItsOwnCallbackLetsOthersInBeforeItFiresAgain") {
  Loop loop;
  int fired = 0;
  int turns = 0;
  int posted = 0;
  Timer timer(loop, [&] {
    REQUIRE(loop.post([&] { ++posted; }).has_value());
    if (++fired < 10) {
      timer.start(Duration::zero());
    }
  });
  timer.start(Duration::zero());
  run_until(loop, [&] {
    ++turns;
    CHECK(fired <= posted + 1);
    return fired == 10;
  });
  CHECK(turns >= 10);
}

TEST_CASE("TurnEndTasksRunInOrderUntilTheyAreGone") {
  Loop loop;
  std::string ran;
  TurnEndTask first(loop, [&] { ran += 'a'; });
  {
    TurnEndTask second(loop, [&] { ran += 'b'; });
    loop.turn(false);
    CHECK(ran.ends_with("ab"));
    CHECK(ran.find("aa") == std::string::npos);
  }
  ran.clear();
  loop.turn(false);
  CHECK(!ran.empty());
  CHECK(ran.find('b') == std::string::npos);
}

}  // namespace ringside::net::test
