// The permit gate in any order of events, against a plain model.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <vector>

#include "config/base/rng.h"
#include "tests/unit/balancer/permit_play.h"

namespace ringside::balancer {

using test::TestWaiter;
using test::TestWorker;

namespace {

// Any order of events over three workers, against a model that knows who should hold what.
class Play {
 public:
  explicit Play(std::uint64_t seed) : rng_(seed) {
    gate_.set_limit(limit_);
    for (std::size_t i = 0; i < waiters_.size(); ++i) waiters_[i].name = i;
  }

  void step() {
    switch (rng_.below(8)) {
      case 0:
      case 1: come(); break;
      case 2: take(); break;
      case 3:
      case 4: free_one(); break;
      case 5: cancel(); break;
      case 6: collect(); break;
      default: rng_.below(4) == 0 ? change_limit() : pass_on(); break;
    }
    compare();
  }

 private:
  TestWorker& worker_of(const TestWaiter& waiter) { return workers_[waiter.name % 3]; }

  void come() {
    TestWaiter& waiter = waiters_[rng_.below(waiters_.size())];
    if (waiter.waiting() || waiter.permit) return;
    waiter.permit = gate_.take_or_wait(waiter, worker_of(waiter).inbox);
    if (queue_.empty() && in_use_ < limit_) {
      ++in_use_;
      REQUIRE(waiter.permit);
    } else {
      queue_.push_back(waiter.name);
      REQUIRE_FALSE(waiter.permit);
    }
  }

  void take() {
    Permit permit = gate_.try_take();
    const bool room = queue_.empty() && in_use_ < limit_;
    REQUIRE(static_cast<bool>(permit) == room);
    if (room) {
      ++in_use_;
      loose_.push_back(std::move(permit));
    }
  }

  void free_one() {
    for (TestWaiter& waiter : waiters_) {
      if (waiter.permit && rng_.chance(0.3)) {
        waiter.permit.release();
        freed();
        return;
      }
    }
    if (!loose_.empty()) {
      loose_.pop_back();
      freed();
    }
  }

  void freed() {
    --in_use_;
    settle();
  }

  void settle() {
    while (!queue_.empty() && in_use_ < limit_) {
      granted_.push_back(queue_.front());
      queue_.pop_front();
      ++in_use_;
    }
  }

  void cancel() {
    TestWaiter& waiter = waiters_[rng_.below(waiters_.size())];
    waiter.cancel();
    std::erase(queue_, waiter.name);
    if (std::erase(granted_, waiter.name) == 1) freed();
  }

  void collect() {
    const std::size_t who = rng_.below(3);
    workers_[who].inbox.collect();
    for (const std::size_t name : granted_) {
      if (name % 3 == who) REQUIRE(waiters_[name].permit);
    }
    std::erase_if(granted_, [&](std::size_t name) { return name % 3 == who; });
  }

  void pass_on() {
    const std::size_t who = rng_.below(3);
    if (loose_.empty()) return;
    PermitWaiter* to = gate_.pass_on(loose_.back(), workers_[who].inbox);
    const bool turn = !queue_.empty() && queue_.front() % 3 == who && in_use_ <= limit_;
    REQUIRE((to != nullptr) == turn);
    if (!turn) return;
    REQUIRE(to == &waiters_[queue_.front()]);
    REQUIRE_FALSE(loose_.back());
    granted_.push_back(queue_.front());
    queue_.pop_front();
    loose_.pop_back();
  }

  void change_limit() {
    limit_ = 1 + static_cast<std::uint32_t>(rng_.below(5));
    gate_.set_limit(limit_);
    settle();
  }

  void compare() {
    REQUIRE(gate_.used() == in_use_);
    REQUIRE(gate_.crowded() == (!queue_.empty() || in_use_ > limit_));
    std::size_t held = loose_.size() + granted_.size();
    for (const TestWaiter& waiter : waiters_) held += waiter.permit ? 1U : 0U;
    REQUIRE(held == in_use_);
    for (const std::size_t name : queue_) {
      REQUIRE(waiters_[name].waiting());
      REQUIRE_FALSE(waiters_[name].permit);
    }
    for (const std::size_t name : granted_) REQUIRE(waiters_[name].waiting());
    for (std::size_t who = 0; who < workers_.size(); ++who) {
      const bool due = std::ranges::any_of(granted_, [&](auto name) { return name % 3 == who; });
      REQUIRE(workers_[who].inbox.empty() != due);
    }
  }

  Rng rng_;
  std::uint32_t limit_ = 3;
  PermitGate gate_;
  std::array<TestWorker, 3> workers_;
  std::array<TestWaiter, 12> waiters_;
  std::vector<Permit> loose_;  // of who did not wait
  // The model.
  std::uint32_t in_use_ = 0;
  std::deque<std::size_t> queue_;
  std::deque<std::size_t> granted_;  // and not collected
};

}  // namespace

TEST_CASE("NoOrderOfEventsLosesOrDoublesAPermitOrBreaksTheQueue") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Play play(seed);
    for (int i = 0; i < 500; ++i) play.step();
  }
}

}  // namespace ringside::balancer
