// The permit gate on one thread, rule by rule.
#include <doctest/doctest.h>

#include <array>
#include <vector>

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

}  // namespace ringside::balancer
