// The rules of the simulator can fail: small wrong histories, each of which must be flagged.
#include <doctest/doctest.h>

#include "tests/sim/client_rules.h"
#include "tests/sim/delivery_rules.h"
#include "tests/sim/selftest/broken_by.h"
#include "tests/sim/session_rules.h"

namespace ringside::sim {

namespace {

constexpr MemberId kA{1};
constexpr MemberId kB{2};
constexpr MemberId kObserver{coord::kMinObserverId};
constexpr SessionId kSession{5};

Zxid zxid(std::uint32_t epoch, std::uint64_t counter) {
  return Zxid{Epoch{epoch}, counter};
}

Delivered at(Zxid id, std::uint64_t digest = 7) {
  return {id, digest, digest + 1, digest + 2};
}

Instant second(double value) {
  return Instant(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value)));
}

// Two members that delivered 1.1 and 1.2 alike.
struct Two {
  Two() {
    for (const MemberId member : {kA, kB}) {
      rules.stands_at(member, true, {});
      rules.applied(member, true, at(zxid(1, 1)));
      rules.applied(member, true, at(zxid(1, 2)));
    }
  }
  DeliveryRules rules;
};

}  // namespace

TEST_CASE("AGoodHistoryBreaksNothing") {
  CHECK(broken_by([] {
          Two two;
          two.rules.led(kA, Epoch{1}, zxid(1, 2));
          CHECK(two.rules.applied(kA, true, at(zxid(2, 1))));
          CHECK_FALSE(two.rules.applied(kB, true, at(zxid(2, 1))));
          two.rules.acknowledged(zxid(2, 1), zxid(2, 1));
          two.rules.stands_at(kA, true, at(zxid(1, 2)));  // a restart may begin earlier
          two.rules.applied(kA, true, at(zxid(2, 1)));
          two.rules.reloaded(kB, true, at(zxid(2, 1)));
          two.rules.complete(kB, zxid(2, 1));
        }) == "nothing");
}

TEST_CASE("OtherBytesAtTheSameZxidAreFlagged") {
  CHECK(broken_by([] {
          Two two;
          two.rules.applied(kA, true, at(zxid(1, 3), 7));
          two.rules.applied(kB, true, at(zxid(1, 3), 8));
        }) == "agreement");
}

TEST_CASE("AnotherOrderIsFlagged") {
  CHECK(broken_by([] {
          Two two;
          two.rules.applied(kA, true, at(zxid(1, 3)));
          two.rules.applied(kB, true, at(zxid(2, 1)));
        }) == "total order");
}

TEST_CASE("AGapIsFlagged") {
  CHECK(broken_by([] { Two().rules.applied(kA, true, at(zxid(1, 4))); }) == "gap");
  CHECK(broken_by([] { Two().rules.applied(kA, true, at(zxid(3, 2))); }) == "gap");
}

TEST_CASE("DeliveringTwiceOrGoingBackIsFlagged") {
  CHECK(broken_by([] { Two().rules.applied(kA, true, at(zxid(1, 2))); }) == "monotone");
  CHECK(broken_by([] { Two().rules.reloaded(kA, true, at(zxid(1, 1))); }) == "monotone");
}

TEST_CASE("StartingFromWhatNobodyDeliveredIsFlagged") {
  CHECK(broken_by([] { Two().rules.stands_at(kA, true, at(zxid(1, 9))); }) == "integrity");
}

TEST_CASE("RestartingWithOtherStateIsFlagged") {
  CHECK(broken_by([] { Two().rules.stands_at(kA, true, at(zxid(1, 2), 9)); }) == "agreement");
}

TEST_CASE("OtherChangesAreFlagged") {
  CHECK(broken_by([] {
          Two two;
          two.rules.applied(kA, true, at(zxid(1, 3)));
          Delivered other = at(zxid(1, 3));
          other.changes = 1;
          two.rules.applied(kB, true, other);
        }) == "changes");
}

TEST_CASE("TwoLeadersOfOneEpochAreFlagged") {
  CHECK(broken_by([] {
          Two two;
          two.rules.led(kA, Epoch{2}, zxid(1, 2));
          two.rules.led(kB, Epoch{2}, zxid(1, 2));
        }) == "primary");
}

TEST_CASE("ALeaderWithoutTheWholeHistoryIsFlagged") {
  CHECK(broken_by([] { Two().rules.led(kA, Epoch{2}, zxid(1, 1)); }) == "leader completeness");
}

TEST_CASE("AnAcknowledgedWriteThatNobodyHoldsIsFlagged") {
  CHECK(broken_by([] { Two().rules.acknowledged(zxid(1, 3), zxid(1, 3)); }) == "durability");
  CHECK(broken_by([] { Two().rules.complete(kA, zxid(1, 1)); }) == "durability");
}

TEST_CASE("AnAnswerBeforeItsWriteIsAppliedIsFlagged") {
  CHECK(broken_by([] { Two().rules.acknowledged(zxid(1, 2), zxid(1, 1)); }) == "read your writes");
}

TEST_CASE("ASecondBirthIsFlagged") {
  CHECK(broken_by([] {
          DeliveryRules rules;
          rules.born(kA, BirthId{});
          rules.born(kA, BirthId{1});
          rules.born(kB, BirthId{2});
        }) == "birth");
}

TEST_CASE("AnObserversOtherViewIsFlaggedEarlyOrLate") {
  CHECK(broken_by([] {
          Two two;
          two.rules.stands_at(kObserver, false, {});
          two.rules.applied(kObserver, false, {zxid(1, 2), 0, 999, 0});
        }) == "scope");
  CHECK(broken_by([] {
          Two two;
          two.rules.applied(kObserver, false, {zxid(1, 3), 0, 999, 0});
          two.rules.applied(kA, true, at(zxid(1, 3)));
        }) == "scope");
  CHECK(broken_by([] {
          Two two;
          two.rules.applied(kObserver, false, {zxid(1, 3), 0, 8, 0});
          two.rules.applied(kA, true, at(zxid(2, 1)));
        }) == "integrity");
}

namespace {

// A session opened at 0 s with a timeout of 1 s and an ephemeral, in a calm ring led since 0 s.
struct Held {
  Held() {
    rules.led(second(0), Epoch{1});
    rules.calm(second(0));
    rules.opened(second(0), kSession, milliseconds(1000));
    rules.transaction(second(0), zxid(1, 1), {kSession}, {{true, "/e", kSession}});
  }
  void touch_until(double end) {
    for (double now = 0; now <= end; now += 0.25) {
      rules.touched(second(now), kSession);
    }
  }
  SessionRules rules;
};

}  // namespace

TEST_CASE("AnEphemeralWithoutItsSessionIsFlagged") {
  CHECK(broken_by([] {
          Held held;
          held.rules.closing(kSession);
          held.rules.transaction(second(2), zxid(1, 2), {}, {});
        }) == "sessions");
}

TEST_CASE("AnEphemeralGoneBeforeItsSessionIsFlagged") {
  CHECK(broken_by([] {
          Held held;
          held.rules.transaction(second(2), zxid(1, 2), {kSession}, {{false, "/e", {}}});
        }) == "sessions");
}

TEST_CASE("AnExpirySoonAfterItsLeaderBeganIsFlagged") {
  CHECK(broken_by([] {
          Held held;
          held.rules.transaction(second(0.5), zxid(1, 2), {}, {{false, "/e", {}}});
        }) == "sessions");
}

TEST_CASE("AnExpiryUnderItsOwnersTouchesIsFlaggedInACalmRing") {
  const auto expire = [](Held& held) {
    held.touch_until(10);
    held.rules.transaction(second(10), zxid(1, 2), {}, {{false, "/e", {}}});
  };
  CHECK(broken_by([&] {
          Held held;
          expire(held);
        }) == "sessions");
  CHECK(broken_by([&] {
          Held held;
          held.rules.calm(std::nullopt);
          expire(held);
        }) == "nothing");
}

TEST_CASE("ASessionThatOutlivesItsOwnerIsFlagged") {
  CHECK(broken_by([] {
          Held held;
          held.rules.owner_died(second(1), kSession);
          held.rules.overdue(second(3));
        }) == "nothing");
  CHECK(broken_by([] {
          Held held;
          held.rules.owner_died(second(1), kSession);
          held.rules.overdue(second(6));
        }) == "sessions");
  CHECK(broken_by([] {
          Held held;
          held.rules.owner_died(second(1), kSession);
          held.rules.nothing_left_of_the_dead();
        }) == "sessions");
}

TEST_CASE("ALateExpiryOfADeadOwnersSessionIsFine") {
  CHECK(broken_by([] {
          Held held;
          held.rules.owner_died(second(1), kSession);
          held.rules.transaction(second(3), zxid(1, 2), {}, {{false, "/e", {}}});
          held.rules.overdue(second(60));
          held.rules.nothing_left_of_the_dead();
        }) == "nothing");
}

TEST_CASE("AClientsOrderIsKept") {
  CHECK(broken_by([] {
          ClientRules rules("c");
          rules.acknowledged(1, zxid(1, 5));
          rules.acknowledged(2, zxid(1, 4));
        }) == "session order");
  CHECK(broken_by([] {
          ClientRules rules("c");
          rules.acknowledged(2, zxid(1, 5));
          rules.acknowledged(1, zxid(1, 6));
        }) == "session order");
}

TEST_CASE("AClientReadsWhatItWrote") {
  const auto wrote = [](ClientRules& rules) {
    rules.wrote("/k", "one");
    rules.write_done("/k", "one", zxid(1, 5));
  };
  CHECK(broken_by([&] {
          ClientRules rules("c");
          wrote(rules);
          rules.wrote("/k", "two");
          rules.read("/k", "one", zxid(1, 5), zxid(1, 5));
          rules.read("/k", "two", zxid(1, 6), zxid(1, 6));
        }) == "nothing");
  CHECK(broken_by([&] {
          ClientRules rules("c");
          wrote(rules);
          rules.read("/k", "old", zxid(1, 4), zxid(1, 5));
        }) == "durability");
  CHECK(broken_by([&] {
          ClientRules rules("c");
          wrote(rules);
          rules.read("/k", "strange", zxid(1, 6), zxid(1, 6));
        }) == "read your writes");
  CHECK(broken_by([&] {
          ClientRules rules("c");
          wrote(rules);
          rules.read_nothing("/k", zxid(1, 6));
        }) == "durability");
  CHECK(broken_by([&] {
          ClientRules rules("c");
          wrote(rules);
          rules.wrote("/k", "two");
          rules.write_refused("/k", "two");
          rules.read("/k", "two", zxid(1, 6), zxid(1, 6));
        }) == "read your writes");
}

TEST_CASE("AClientNeverReadsAnEarlierState") {
  CHECK(broken_by([] {
          ClientRules rules("c");
          rules.read_nothing("/k", zxid(1, 5));
          rules.read_nothing("/k", zxid(1, 4));
        }) == "monotone reads");
}

TEST_CASE("AVersionReplacedTwiceOrANameGivenTwiceIsFlagged") {
  CHECK(broken_by([] {
          SharedRules rules;
          rules.compared_and_set("/k", 3);
          rules.compared_and_set("/k", 4);
          rules.compared_and_set("/k", 3);
        }) == "exactly once");
  CHECK(broken_by([] {
          SharedRules rules;
          rules.named("/n-1");
          rules.named("/n-1");
        }) == "exactly once");
}

TEST_CASE("ASyncThatMissesAnAcknowledgedWriteIsFlagged") {
  CHECK(broken_by([] { SharedRules::synced(zxid(1, 5), zxid(1, 4)); }) == "sync");
}

}  // namespace ringside::sim
