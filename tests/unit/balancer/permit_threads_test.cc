// The permit gate between threads that come, wait, give up and free as they like. Run under tsan
// too.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "config/base/rng.h"
#include "tests/unit/balancer/permit_play.h"

namespace ringside::balancer {
namespace {

using test::TestWaiter;

constexpr std::size_t kThreads = 3;
constexpr std::size_t kCalls = 8;
constexpr int kRounds = 30000;
constexpr std::uint32_t kLimit = 5;

void must(bool so) {
  if (!so) std::abort();  // doctest's macros are not for other threads
}

// One worker: calls that hold a permit, wait for one, or rest.
class Worker {
 public:
  Worker(PermitGate& gate, std::atomic<int>& inside, std::uint64_t seed)
      : gate_(gate), inside_(inside), rng_(seed) {}

  void run() {
    for (int round = 0; round < kRounds; ++round) step(waiters_[rng_.below(kCalls)]);
    for (TestWaiter& waiter : waiters_) waiter.cancel();
    for (TestWaiter& waiter : waiters_) free(waiter);
  }
  std::uint64_t got = 0;
  std::uint64_t waited = 0;

 private:
  void step(TestWaiter& waiter) {
    if (woken_.exchange(false)) collect();
    if (waiter.permit) {
      if (rng_.chance(0.5)) free(waiter);
    } else if (waiter.waiting()) {
      if (rng_.chance(0.1)) waiter.cancel();
    } else if (rng_.chance(0.5)) {
      waiter.permit = gate_.take_or_wait(waiter, inbox_);
      if (!waiter.permit) ++waited;
      count(waiter);
    } else {
      waiter.permit = gate_.try_take();
      count(waiter);
    }
    if (waited > 0 && rng_.chance(0.1)) std::this_thread::yield();
  }

  void collect() {
    std::array<bool, kCalls> had{};
    for (std::size_t i = 0; i < kCalls; ++i) had[i] = static_cast<bool>(waiters_[i].permit);
    inbox_.collect();
    for (std::size_t i = 0; i < kCalls; ++i) {
      if (!had[i]) count(waiters_[i]);
    }
  }

  void count(const TestWaiter& waiter) {
    if (!waiter.permit) return;
    ++got;
    must(inside_.fetch_add(1) < static_cast<int>(kLimit));
  }

  void free(TestWaiter& waiter) {
    if (!waiter.permit) return;
    inside_.fetch_sub(1);
    waiter.permit.release();
  }

  PermitGate& gate_;
  std::atomic<int>& inside_;
  Rng rng_;
  std::atomic<bool> woken_{false};
  PermitInbox inbox_{[this] { woken_.store(true); }};
  std::array<TestWaiter, kCalls> waiters_;
};

}  // namespace

TEST_CASE("ThreadsTogetherNeverHoldMoreThanTheLimitAndLoseNothing") {
  PermitGate gate;
  gate.set_limit(kLimit);
  std::atomic<int> inside{0};
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::size_t i = 0; i < kThreads; ++i) {
    workers.push_back(std::make_unique<Worker>(gate, inside, i));
  }
  std::vector<std::thread> threads;
  for (auto& worker : workers) threads.emplace_back([&worker] { worker->run(); });
  for (std::thread& thread : threads) thread.join();
  std::uint64_t got = 0;
  std::uint64_t waited = 0;
  for (const auto& worker : workers) {
    got += worker->got;
    waited += worker->waited;
  }
  CHECK(got > 100);
  CHECK(waited > 0);
  CHECK(inside.load() == 0);
  CHECK(gate.used() == 0);
  CHECK_FALSE(gate.crowded());
}

// A waiter in each thread hands one permit round: a wake-up that is lost would stop it for good.
TEST_CASE("NoWakeUpIsLostBetweenTwoThreads") {
  PermitGate gate;
  gate.set_limit(1);
  constexpr int kTurns = 20000;
  std::atomic<int> turns{0};
  const auto run = [&] {
    std::atomic<bool> woken{false};
    PermitInbox inbox([&woken] {
      woken.store(true);
      woken.notify_one();
    });
    TestWaiter waiter;
    while (turns.load() < kTurns) {
      waiter.permit = gate.take_or_wait(waiter, inbox);
      while (!waiter.permit) {
        woken.wait(false);
        woken.store(false);
        inbox.collect();
      }
      turns.fetch_add(1);
      waiter.permit.release();
    }
  };
  std::thread other(run);
  run();
  other.join();
  CHECK(gate.used() == 0);
  CHECK(turns.load() >= kTurns);
}

TEST_CASE("ALimitThatChangesUnderThreadsLosesNothing") {
  PermitGate gate;
  gate.set_limit(1);
  std::atomic<bool> over{false};
  std::thread changer([&] {
    for (std::uint32_t i = 0; !over.load(); ++i) gate.set_limit(1 + i % 4);
  });
  const auto run = [&] {
    PermitInbox inbox([] {});
    std::array<TestWaiter, 4> waiters;
    Rng rng(7);
    for (int i = 0; i < 20000; ++i) {
      TestWaiter& waiter = waiters[rng.below(waiters.size())];
      if (waiter.permit) {
        waiter.permit.release();
      } else if (!waiter.waiting()) {
        waiter.permit = gate.take_or_wait(waiter, inbox);
      } else {
        inbox.collect();
      }
    }
    for (TestWaiter& waiter : waiters) waiter.cancel();
  };
  std::thread other(run);
  run();
  other.join();
  over.store(true);
  changer.join();
  CHECK(gate.used() == 0);
  CHECK_FALSE(gate.crowded());
}

}  // namespace ringside::balancer
