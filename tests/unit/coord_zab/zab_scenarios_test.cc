// Elections, synchronization and broadcast of the step machine in told scenarios.
#include <doctest/doctest.h>

#include "zab_ring.h"

using namespace ringside;
using namespace ringside::coord;
using ringside::coord::test::ZabRing;

namespace {

Entry entry(std::uint32_t epoch, std::uint64_t counter) {
  return {Zxid{Epoch{epoch}, counter}, std::make_shared<const Bytes>(Bytes{7})};
}

struct Running : ZabRing {
  explicit Running(std::vector<std::uint64_t> ids = {1, 2, 3}) : ZabRing(std::move(ids)) {
    start_all();
    REQUIRE(leader() != 0);
    trace.clear();
  }
};

}  // namespace

TEST_CASE("DeadLeaderIsReplacedWithoutAnyWait") {
  Running ring({1, 2, 3, 4, 5});
  REQUIRE(ring.leader() == 5);
  const Instant before = ring.now;
  ring.kill(5);
  ring.settle();
  CHECK(ring.leader() == 4);
  CHECK(ring.now == before);
}

TEST_CASE("FrozenLeaderIsReplacedAfterAnElectionTimeout") {
  Running ring;
  ring.pass(milliseconds(300));
  auto frozen = std::move(ring.members[3].zab);
  const Instant before = ring.now;
  while (ring.leader() == 0 && ring.now < before + seconds(5)) {
    ring.pass(milliseconds(5));
    if (!ring.members[1].closed.empty()) {
      ring.cut(1, 3);
    }
    if (!ring.members[2].closed.empty()) {
      ring.cut(2, 3);
    }
  }
  CHECK(ring.leader() == 2);
  CHECK(ring.now - before < milliseconds(1300));
}

TEST_CASE("VoterThatReturnsDisturbsNobody") {
  Running ring;
  const Epoch epoch = ring.members[3].zab->reign()->epoch;
  for (int i = 0; i < 3; ++i) {
    ring.cut(1, 3);
    ring.settle();
    ring.join(1, 3);
    ring.settle();
  }
  ring.kill(1);
  ring.propose(3, "a");
  ring.start(1);
  ring.settle();
  CHECK(ring.leader() == 3);
  CHECK(ring.members[1].zab->reign()->epoch == epoch);
}

TEST_CASE("VoterCutOffFromTheLeaderAloneWaitsForItsLink") {
  Running ring;
  const Epoch epoch = ring.members[3].zab->reign()->epoch;
  ring.cut(1, 3);
  ring.pass(seconds(5));
  CHECK(ring.members[1].zab->role() == Role::kLooking);
  CHECK(ring.leader() == 3);
  CHECK(ring.members[2].zab->reign()->epoch == epoch);
}

TEST_CASE("LeaderWithoutAQuorumStepsDown") {
  Running ring;
  ring.cut(1, 3);
  ring.cut(2, 3);
  ring.settle();
  CHECK(ring.leader() != 0);
  ring.pass(milliseconds(1200));
  CHECK(ring.members[3].zab->role() == Role::kLooking);
}

TEST_CASE("PartitionedOldLeaderGivesWayAndItsTailIsTruncated") {
  Running ring;
  ring.propose(3, "kept");
  ring.settle();
  ring.cut(1, 3);
  ring.cut(2, 3);
  ring.propose(3, "lost");
  ring.settle();
  CHECK(ring.members[3].disk.log.size() == 2);
  REQUIRE(ring.members[2].zab->leading() != nullptr);
  ring.propose(2, "new");
  ring.settle();
  ring.trace.clear();
  ring.join(2, 3);
  ring.join(1, 3);
  ring.settle();
  ring.pass(milliseconds(200));
  CHECK(ring.members[3].zab->role() == Role::kFollowing);
  CHECK(ring.members[3].delivered == ring.members[2].delivered);
  REQUIRE(ring.members[3].disk.log.size() == 2);
  CHECK(ring.members[3].disk.log[1].zxid == ring.members[2].disk.log[1].zxid);
}

TEST_CASE("LateFollowerMissesNothingBetweenItsHistoryAndTheLiveStream") {
  Running ring;
  ring.kill(1);
  ring.settle();
  ring.propose(3, "a");
  ring.settle();
  ring.start(1);
  for (int i = 0; i < 40; ++i) {  // proposals all the while
    ring.propose(3, "p");
    ring.deliver(1, 3);
    ring.deliver(3, 1);
    ring.complete(1);
    ring.deliver(3, 2);
    ring.complete(3);
  }
  ring.settle();
  CHECK(ring.members[1].delivered == ring.members[3].delivered);
  CHECK(ring.members[1].delivered.size() == 41);
  CHECK(ring.members[1].closed.empty());
}

TEST_CASE("FollowerTooFarBackGetsASnapshot") {
  ZabRing ring({1, 2, 3});
  ring.options.keep_entries = 3;
  ring.start(2);
  ring.start(3);
  ring.settle();
  for (int i = 0; i < 10; ++i) {
    ring.propose(3, "x");
    ring.settle();
  }
  ring.start(1);
  ring.settle();
  CHECK(std::ranges::find(ring.trace[{3, 1}], "Snapshot") != ring.trace[{3, 1}].end());
  CHECK(ring.members[1].zab->applied() == ring.members[3].zab->applied());
  ring.propose(3, "y");
  ring.settle();
  CHECK(ring.members[1].zab->applied() == ring.members[3].zab->applied());
}

TEST_CASE("SlowFollowerIsDroppedBackToSynchronization") {
  ZabRing ring({1, 2, 3});
  ring.options.max_lag_entries = 10;
  ring.start_all();
  ring.members[1].disk_stuck = true;
  for (int i = 0; i < 20; ++i) {
    ring.propose(3, "x");
    ring.settle();
  }
  REQUIRE(ring.members[3].closed.size() == 1);
  CHECK(ring.members[3].closed[0].find("behind") != std::string::npos);
}

TEST_CASE("DiskTakesInOneAppendWhatQueuedDuringTheOneBefore") {
  Running ring;
  ring.members[1].disk_stuck = true;
  ring.members[3].disk_stuck = true;
  for (int i = 0; i < 5; ++i) {
    ring.propose(3, "x");
    ring.settle();
  }
  REQUIRE(ring.members[1].disk_work.size() == 1);
  REQUIRE(ring.complete(1));
  REQUIRE(ring.members[1].disk_work.size() == 1);
  CHECK(std::get<AppendLog>(ring.members[1].disk_work.front()).entries.size() == 4);
}

TEST_CASE("EpochPromisedToAFailedAttemptEndsALowerReign") {
  Running ring;
  ring.kill(1);
  ring.settle();
  ring.members[1].disk.accepted = Epoch{9};
  ring.start(1);
  ring.pass(milliseconds(500));
  REQUIRE(ring.leader() != 0);
  CHECK(ring.members[1].zab->reign());
  CHECK(ring.members[1].zab->current_epoch() > Epoch{9});
}

TEST_CASE("CommittedButNotYetWrittenHereComesBackWithTheNextHistory") {
  Running ring;
  ring.members[1].disk_stuck = true;
  for (int i = 0; i < 3; ++i) {
    ring.propose(3, "x");  // the first is on its way to the disk of 1, the others wait there
    ring.settle();
  }
  ring.cut(1, 3);
  ring.join(1, 3);
  ring.members[1].disk_stuck = false;
  ring.settle();
  CHECK(ring.members[1].closed.empty());
  CHECK(ring.members[1].delivered == ring.members[3].delivered);
  CHECK(ring.members[1].delivered.size() == 3);
}

TEST_CASE("HistoriesPartWhereTheirEpochsSaySo") {
  std::vector<Entry> theirs{entry(1, 1), entry(1, 2), entry(3, 1)};
  std::vector<Entry> ours{entry(1, 1), entry(1, 2), entry(1, 3), entry(2, 1)};
  const History leader(Zxid{}, ours);
  const History follower(Zxid{}, theirs);
  const auto ends = follower.epoch_ends(kMaxEpochEnds);
  CHECK(leader.common_with(ends) == Zxid{Epoch{1}, 2});
  const SyncPlan plan = plan_sync(leader, leader.last(), follower.last(), ends);
  CHECK(plan.mode == SyncMode::kTrunc);
  CHECK(leader.range(plan.keep_until, leader.last()).size() == 2);
  const History empty;
  CHECK(plan_sync(leader, leader.last(), Zxid{}, empty.epoch_ends(kMaxEpochEnds)).mode ==
        SyncMode::kDiff);
  const History trimmed(Zxid{Epoch{1}, 3}, {entry(2, 1)});
  CHECK(plan_sync(trimmed, trimmed.last(), follower.last(), ends).mode == SyncMode::kSnap);
}

TEST_CASE("QuorumIsMoreThanHalfOfCleanVotersOrEverybody") {
  Tally three(3);
  three.add(false);
  three.add(true);
  CHECK_FALSE(three.sufficient());
  three.add(true);
  CHECK(three.sufficient());
  Tally two(4);
  two.add(false);
  two.add(false);
  CHECK_FALSE(two.sufficient());
  const Zxid a{Epoch{1}, 1};
  const Zxid b{Epoch{1}, 2};
  CHECK(reached_by_majority({b, a}, 3) == a);
  CHECK(reached_by_majority({b}, 3) == Zxid{});
  CHECK(reached_by_majority({b, b, a}, 5) == a);
}
