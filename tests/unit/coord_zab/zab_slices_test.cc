// What the step machine does in slices: snapshots that take their time, histories given and applied
// a part at a time; and members that stand aside.
#include <doctest/doctest.h>

#include "zab_ring.h"

using namespace ringside;
using namespace ringside::coord;
using ringside::coord::test::ZabRing;

namespace {

std::ptrdiff_t count(const std::vector<std::string>& words, const std::string& word) {
  return std::ranges::count(words, word);
}

// 3 leads with 2, and keeps so little that 1 needs a snapshot, which is held back.
struct HeldRing : ZabRing {
  HeldRing() : ZabRing({1, 2, 3}) {
    options.keep_entries = 3;
    hold_snapshots = true;
    start(2);
    start(3);
    settle();
    REQUIRE(leader() == 3);
    write(10);
  }
  void write(int times) {
    for (int i = 0; i < times; ++i) {
      propose(3, "x");
      settle();
    }
  }
  void begin() {
    start(1);
    settle();
    REQUIRE(held.size() == 1);
  }
};

std::vector<Entry> entries(std::uint64_t count) {
  std::vector<Entry> all;
  for (std::uint64_t counter = 1; counter <= count; ++counter) {
    all.push_back({Zxid{Epoch{1}, counter}, std::make_shared<const Bytes>(Bytes{1})});
  }
  return all;
}

}  // namespace

TEST_CASE("NewLeaderAndEntriesComeOnlyAfterTheSnapshotIsTaken") {  // ZooKeeper's ZK-3104
  HeldRing ring;
  ring.begin();
  ring.write(5);  // goes on meanwhile
  CHECK(ring.members[3].zab->applied() == ring.members[3].zab->history().last());
  CHECK(count(ring.trace[{3, 1}], "SyncStart") == 1);
  CHECK(count(ring.trace[{3, 1}], "SyncEntries") == 0);
  CHECK(count(ring.trace[{3, 1}], "NewLeader") == 0);
  CHECK(count(ring.trace[{3, 1}], "Proposal") == 0);
  ring.give_snapshots();
  CHECK(count(ring.trace[{3, 1}], "SyncEntries") == 1);
  CHECK(count(ring.trace[{3, 1}], "NewLeader") == 1);
  ring.write(2);
  CHECK(ring.members[1].zab->applied() == ring.members[3].zab->applied());
  CHECK(ring.members[1].closed.empty());
}

TEST_CASE("FollowersBeyondThoseThatTakeASnapshotAtOnceWaitTheirTurn") {
  ZabRing ring({1, 2, 3, 4, 5, 6, 7});
  ring.options.keep_entries = 3;
  ring.options.snapshots_at_once = 1;
  ring.hold_snapshots = true;
  for (const std::uint64_t id : {4, 5, 6, 7}) {
    ring.start(id);
  }
  ring.settle();
  REQUIRE(ring.leader() == 7);
  const auto write = [&](int times) {
    for (int i = 0; i < times; ++i) {
      ring.propose(7, "x");
      ring.settle();
    }
  };
  write(10);
  for (const std::uint64_t id : {1, 2, 3}) {
    ring.start(id);
  }
  ring.pass(seconds(3));
  write(10);
  REQUIRE(ring.held.size() == 1);
  ring.give_snapshots();
  REQUIRE(ring.held.size() == 1);  // the next one, as of now
  CHECK(ring.held.front().zxid == ring.members[7].zab->applied());
  const std::uint64_t dying = ring.held.front().to;
  ring.kill(dying);  // its place is free as well
  ring.settle();
  REQUIRE(ring.held.size() == 2);
  ring.held.erase(ring.held.begin());
  ring.give_snapshots();
  write(1);
  for (const std::uint64_t id : {1, 2, 3}) {
    if (id != dying) {
      CHECK(ring.members[id].zab->applied() == ring.members[7].zab->applied());
      CHECK(ring.members[id].closed.empty());
    }
  }
}

TEST_CASE("HistoryIsKeptForARunningSnapshotAndLetGoAfterIt") {
  HeldRing ring;
  ring.begin();
  const Zxid zxid = ring.held[0].zxid;
  ring.write(50);
  CHECK(ring.members[3].zab->history().base() <= zxid);
  ring.give_snapshots();
  CHECK(count(ring.trace[{3, 1}], "Snapshot") == 1);
  CHECK(ring.members[1].zab->applied() == ring.members[3].zab->applied());
  ring.write(1);
  CHECK(ring.members[3].zab->history().size() <= 4);
}

TEST_CASE("SnapshotThatHoldsTooMuchHistoryStartsOver") {
  HeldRing ring;
  ring.options.max_lag_entries = 10;
  ring.kill(3);
  ring.start(3);
  ring.settle();
  const std::uint64_t leader = ring.leader();
  REQUIRE(leader != 0);
  ring.start(1);
  ring.settle();
  REQUIRE(ring.held.size() == 1);
  for (int i = 0; i < 15; ++i) {
    ring.propose(leader, "x");
    ring.settle();
  }
  REQUIRE(ring.members[leader].closed.size() == 1);
  CHECK(ring.members[leader].closed[0].find("behind") != std::string::npos);
  CHECK(ring.members[leader].zab->history().size() <= 16);
}

TEST_CASE("FollowerIsHeardWhileItTakesASnapshotAndDroppedWhenItFallsSilent") {
  HeldRing ring;
  ring.begin();
  ring.pass(seconds(10));
  CHECK(ring.members[3].closed.empty());
  CHECK(ring.members[1].closed.empty());
  auto frozen = std::move(ring.members[1].zab);
  ring.pass(milliseconds(1200));
  REQUIRE(ring.members[3].closed.size() == 1);
  CHECK(ring.members[3].closed[0].find("silent") != std::string::npos);
  CHECK(ring.leader() == 3);
}

TEST_CASE("D10SnapshotTakenByAnEarlierRunIsNoNews") {
  HeldRing ring;
  ring.begin();
  const auto stale = ring.held;
  ring.cut(1, 3);
  ring.join(1, 3);
  ring.settle();
  REQUIRE(ring.held.size() == 2);
  ring.step(3, SnapshotTaken{MemberId{1}, stale[0].run});
  CHECK(count(ring.trace[{3, 1}], "NewLeader") == 0);
  ring.held.erase(ring.held.begin());
  ring.give_snapshots();
  CHECK(ring.members[1].zab->applied() == ring.members[3].zab->applied());
}

TEST_CASE("LeaderElectWaitsForASnapshotAsLongAsItTakes") {
  ZabRing ring({1, 2, 3});
  ring.hold_snapshots = true;
  ring.members[3].disk.snapshot = Zxid{Epoch{1}, 100};
  ring.members[3].disk.commit = Zxid{Epoch{1}, 100};
  ring.start(1);
  ring.start(3);
  ring.settle();
  REQUIRE(ring.held.size() == 1);
  ring.pass(seconds(60));
  CHECK(ring.leader() == 0);
  REQUIRE(ring.held.size() == 1);
  ring.give_snapshots();
  CHECK(ring.leader() == 3);
  CHECK(ring.members[1].zab->applied() == ring.members[3].zab->applied());
}

TEST_CASE("WhatIsCommittedIsAppliedInSlices") {
  ZabRing ring({1, 2, 3});
  ring.options.deliver_entries = 10;
  ring.members[2].disk.log = entries(100);
  ring.members[3].disk.log = entries(100);
  ring.start_all();
  REQUIRE(ring.leader() == 3);
  for (const std::uint64_t id : {1, 2, 3}) {
    CHECK(ring.members[id].delivered.size() == 100);
    CHECK(ring.members[id].largest_delivery == 10);
  }
}

TEST_CASE("D14LeaderProposesOnlyUponItsWholeInitialHistory") {
  ZabRing ring({1});
  ring.options.deliver_entries = 10;
  ring.members[1].disk.log = entries(25);
  ring.start(1);
  while (ring.complete(1)) {
  }
  Zab& zab = *ring.members[1].zab;
  CHECK(zab.role() == Role::kLeading);
  CHECK(zab.leading() == nullptr);
  CHECK(zab.next_deadline() <= ring.now);
  ring.step(1, Tick{});
  CHECK(zab.leading() == nullptr);
  ring.step(1, Tick{});
  REQUIRE(zab.leading() != nullptr);
  CHECK(ring.members[1].delivered.size() == 25);
}

TEST_CASE("RunEndsAppliedBeforeTheNextOneBegins") {
  ZabRing ring({1, 2, 3});
  ring.start_all();
  ring.options.deliver_entries = 1;
  ring.kill(1);
  ring.start(1);
  ring.settle();
  ring.members[1].disk_stuck = true;
  for (int i = 0; i < 5; ++i) {
    ring.propose(3, "x");
    ring.messages();
    ring.complete(3);
    ring.complete(2);
    ring.messages();
  }
  while (ring.complete(1)) {
  }
  Zab& zab = *ring.members[1].zab;
  CHECK(zab.applied() < zab.committed());
  ring.step(1, LinkDown{MemberId{3}});
  CHECK(zab.next_deadline() <= ring.now);
  CHECK(count(ring.trace[{1, 2}], "FollowerInfo") == 0);
  ring.cut(1, 3);
  ring.settle();
  CHECK(zab.applied() == zab.committed());
}

TEST_CASE("LongHistoryIsGivenAPartInEachTurn") {
  ZabRing ring({1, 2, 3});
  ring.start(2);
  ring.start(3);
  ring.settle();
  const std::string large(600'000, 'x');
  for (int i = 0; i < 6; ++i) {
    ring.propose(3, large);
    ring.settle();
  }
  ring.trace.clear();
  ring.start(1);
  ring.messages();
  ring.complete(1);
  ring.messages();
  CHECK(count(ring.trace[{3, 1}], "SyncEntries") == 1);
  CHECK(count(ring.trace[{3, 1}], "NewLeader") == 0);
  ring.propose(3, "meanwhile");
  ring.settle();
  CHECK(count(ring.trace[{3, 1}], "SyncEntries") == 4);
  CHECK(count(ring.trace[{3, 1}], "NewLeader") == 1);
  CHECK(ring.members[1].delivered == ring.members[3].delivered);
  CHECK(ring.members[1].closed.empty());
}

// --- standing aside

TEST_CASE("LeaderWithoutRoomHandsOverAndTheOthersDoNotWaitForIt") {
  ZabRing ring({1, 2, 3});
  ring.start_all();
  REQUIRE(ring.leader() == 3);
  const Instant before = ring.now;
  ring.propose(3, "under way");
  ring.step(3, StandAside{"no room"});
  ring.settle();
  CHECK(ring.now == before);
  CHECK(ring.leader() == 2);
  CHECK(ring.members[2].delivered.size() == 1);
  CHECK(ring.members[3].zab->role() == Role::kLooking);
  CHECK(ring.members[3].zab->waiting_for() == "no room");
  ring.step(3, StandAside{});
  ring.settle();
  CHECK(ring.leader() == 2);
  CHECK(ring.members[3].zab->role() == Role::kFollowing);
}

TEST_CASE("FollowerWithoutRoomLeavesAndIsNoPartOfAnyQuorum") {
  ZabRing ring({1, 2, 3});
  ring.start_all();
  ring.step(1, StandAside{"no room"});
  ring.settle();
  CHECK(ring.members[1].zab->role() == Role::kLooking);
  ring.propose(3, "a");
  ring.settle();
  CHECK(ring.members[3].delivered.size() == 1);
  CHECK(ring.members[1].delivered.empty());
  ring.kill(3);
  ring.pass(seconds(3));
  CHECK(ring.leader() == 0);
  CHECK(ring.members[2].zab->waiting_for().find("no room") != std::string::npos);
  ring.step(1, StandAside{});
  ring.settle();
  CHECK(ring.leader() == 2);
  CHECK(ring.members[1].delivered.size() == 1);
}

TEST_CASE("NobodyLeadsARingWithoutRoomAndItGoesOnByItself") {
  ZabRing ring({1, 2, 3});
  ring.start_all();
  for (const std::uint64_t id : {1, 2, 3}) {
    ring.step(id, StandAside{"no room"});
  }
  ring.settle();
  ring.pass(seconds(3));
  CHECK(ring.leader() == 0);
  ring.step(1, StandAside{});
  ring.step(2, StandAside{});
  ring.settle();
  CHECK(ring.leader() != 0);
}

TEST_CASE("LeaderWithoutAnHeirRefusesWritesUntilThereIsRoom") {
  ZabRing ring({1, 2, 3});
  ring.start_all();
  ring.members[1].disk_stuck = true;
  ring.members[2].disk_stuck = true;
  ring.propose(3, "a");
  ring.settle();
  ring.step(3, StandAside{"no room"});
  CHECK(ring.members[3].zab->role() == Role::kLeading);
  CHECK(ring.members[3].zab->leading() == nullptr);
  ring.step(3, StandAside{});
  CHECK(ring.members[3].zab->leading() != nullptr);
}

TEST_CASE("RingOfOneWithoutRoomHasNoLeaderUntilThereIsRoom") {
  ZabRing ring({1});
  ring.start_all();
  REQUIRE(ring.leader() == 1);
  ring.propose(1, "a");
  ring.step(1, StandAside{"no room"});
  ring.settle();
  CHECK(ring.members[1].delivered.size() == 1);
  CHECK(ring.members[1].zab->role() == Role::kLooking);
  ring.step(1, StandAside{});
  ring.settle();
  CHECK(ring.leader() == 1);
}
