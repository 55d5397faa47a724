// The permit gate on one thread: each rule, and any order of events against a plain model.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <optional>

#include "config/base/rng.h"
#include "tests/unit/balancer/permit_play.h"

namespace ringside::balancer {
namespace {

using test::TestWaiter;
using test::TestWorker;

// Makes it wait; the gate has no room.
void wait(PermitGate& gate, TestWaiter& waiter, TestWorker& worker) {
  const Permit none = gate.take_or_wait(waiter, worker.inbox);
  REQUIRE_FALSE(none);
  REQUIRE(waiter.waiting());
}

}  // namespace

TEST_CASE("AGateLetsInAsManyAsItsLimit") {
  PermitGate gate;
  gate.set_limit(2);
  Permit one = gate.try_take();
  Permit two = gate.try_take();
  CHECK(one);
  CHECK(two);
  CHECK_FALSE(gate.try_take());
  CHECK(gate.used() == 2);
  one.release();
  CHECK(gate.used() == 1);
  CHECK(gate.try_take());  // and back at once
  CHECK(gate.used() == 1);
  two = Permit();
  CHECK(gate.used() == 0);
}

TEST_CASE("AGateWithoutALimitLetsInAll") {
  PermitGate gate;
  std::vector<Permit> all;
  for (int i = 0; i < 10000; ++i) {
    all.push_back(gate.try_take());
    REQUIRE(all.back());
  }
  CHECK(gate.used() == 10000);
}

TEST_CASE("AFreedPermitGoesToTheLongestWaiterOfAnyWorker") {
  PermitGate gate;
  gate.set_limit(1);
  TestWorker here;
  TestWorker there;
  std::vector<std::size_t> told;
  std::array<TestWaiter, 3> waiters;
  for (std::size_t i = 0; i < waiters.size(); ++i) {
    waiters[i].name = i;
    waiters[i].told = &told;
  }
  Permit held = gate.try_take();
  wait(gate, waiters[0], there);
  wait(gate, waiters[1], here);
  wait(gate, waiters[2], there);
  CHECK(gate.crowded());
  held.release();
  CHECK(there.wakes == 1);
  CHECK(here.wakes == 0);
  CHECK(told.empty());  // in a turn of its own
  there.inbox.collect();
  CHECK(told == std::vector<std::size_t>{0});
  CHECK_FALSE(waiters[0].waiting());
  waiters[0].permit.release();
  here.inbox.collect();
  waiters[1].permit.release();
  CHECK_FALSE(gate.crowded());
  there.inbox.collect();
  CHECK(told == std::vector<std::size_t>{0, 1, 2});
  CHECK(gate.used() == 1);
  waiters[2].permit.release();
  CHECK(gate.used() == 0);
}

TEST_CASE("NobodyGetsPastAWaiter") {
  PermitGate gate;
  gate.set_limit(1);
  TestWorker worker;
  TestWaiter waiter;
  TestWaiter later;
  Permit held = gate.try_take();
  wait(gate, waiter, worker);
  CHECK_FALSE(gate.try_take());
  held.release();
  CHECK_FALSE(gate.try_take());  // it is the waiter's, told or not
  wait(gate, later, worker);
  worker.inbox.collect();
  CHECK(waiter.permit);
  CHECK_FALSE(later.permit);
}

TEST_CASE("AWaiterThatCancelsGivesBackWhatItWasGranted") {
  PermitGate gate;
  gate.set_limit(1);
  TestWorker here;
  TestWorker there;
  TestWaiter first;
  TestWaiter second;
  Permit held = gate.try_take();
  wait(gate, first, here);
  wait(gate, second, there);
  held.release();
  first.cancel();  // granted already, not told
  CHECK(here.inbox.empty());
  CHECK_FALSE(first.waiting());
  there.inbox.collect();
  CHECK(second.permit);
  here.inbox.collect();
  CHECK_FALSE(first.permit);
  second.permit.release();
  CHECK(gate.used() == 0);
  CHECK_FALSE(gate.crowded());
}

TEST_CASE("AWaiterThatCancelsInTheQueueIsPassedOver") {
  PermitGate gate;
  gate.set_limit(1);
  TestWorker worker;
  TestWaiter first;
  TestWaiter second;
  Permit held = gate.try_take();
  wait(gate, first, worker);
  wait(gate, second, worker);
  first.cancel();
  first.cancel();  // of no effect
  held.release();
  worker.inbox.collect();
  CHECK(second.permit);
  second.permit.release();
  CHECK(gate.try_take());
}

TEST_CASE("TheLastWaiterThatCancelsOpensTheFastWayAgain") {
  PermitGate gate;
  gate.set_limit(1);
  TestWorker worker;
  TestWaiter waiter;
  Permit held = gate.try_take();
  wait(gate, waiter, worker);
  waiter.cancel();
  CHECK_FALSE(gate.crowded());
  held.release();
  CHECK(gate.try_take());
}

TEST_CASE("WhoeverIsToldMayCancelThoseBehindIt") {
  PermitGate gate;
  gate.set_limit(2);
  TestWorker worker;
  TestWaiter victim;
  struct Killer final : PermitWaiter {
    explicit Killer(TestWaiter& one) : other(one) {}
    ~Killer() { cancel(); }
    void on_permit(Permit) override { other.cancel(); }
    TestWaiter& other;
  } killer(victim);
  Permit one = gate.try_take();
  Permit two = gate.try_take();
  REQUIRE_FALSE(gate.take_or_wait(killer, worker.inbox));
  wait(gate, victim, worker);
  one.release();
  two.release();
  worker.inbox.collect();
  CHECK_FALSE(victim.permit);
  CHECK(gate.used() == 0);
}

TEST_CASE("AHigherLimitLetsWaitersInAtOnce") {
  PermitGate gate;
  gate.set_limit(1);
  TestWorker worker;
  TestWaiter first;
  TestWaiter second;
  TestWaiter third;
  Permit held = gate.try_take();
  wait(gate, first, worker);
  wait(gate, second, worker);
  wait(gate, third, worker);
  gate.set_limit(3);
  worker.inbox.collect();
  CHECK(first.permit);
  CHECK(second.permit);
  CHECK_FALSE(third.permit);
}

TEST_CASE("ALowerLimitHoldsAsPermitsComeFree") {
  PermitGate gate;
  gate.set_limit(3);
  TestWorker worker;
  TestWaiter waiter;
  std::array<Permit, 3> held{gate.try_take(), gate.try_take(), gate.try_take()};
  gate.set_limit(1);
  CHECK(gate.crowded());  // what is idle is to go
  wait(gate, waiter, worker);
  held[0].release();
  held[1].release();
  worker.inbox.collect();
  CHECK_FALSE(waiter.permit);
  held[2].release();
  worker.inbox.collect();
  CHECK(waiter.permit);
  CHECK(gate.used() == 1);
  CHECK_FALSE(gate.crowded());
}

TEST_CASE("APermitIsPassedOnOnlyWhereItsTurnHasCome") {
  PermitGate gate;
  gate.set_limit(1);
  TestWorker here;
  TestWorker there;
  TestWaiter first;
  TestWaiter second;
  Permit held = gate.try_take();
  CHECK(gate.pass_on(held, here.inbox) == nullptr);
  wait(gate, first, here);
  wait(gate, second, there);
  CHECK(gate.pass_on(held, there.inbox) == nullptr);
  CHECK(held);
  here.wakes = 0;
  CHECK(gate.pass_on(held, here.inbox) == &first);
  CHECK(here.wakes == 0);  // who passes on is awake
  CHECK_FALSE(here.inbox.empty());
  CHECK_FALSE(held);
  here.inbox.collect();
  CHECK(first.permit);
  CHECK(gate.used() == 1);
  gate.set_limit(0);
  CHECK(gate.pass_on(first.permit, there.inbox) == nullptr);  // one too many: it has to go
  CHECK(first.permit);
}

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
