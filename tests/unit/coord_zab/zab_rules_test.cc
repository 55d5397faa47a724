// D1..D18 of the step machine, each named. Messages and disk completions are moved by hand.
#include <doctest/doctest.h>

#include "zab_ring.h"

using namespace ringside;
using namespace ringside::coord;
using ringside::coord::test::ZabRing;

namespace {

using Words = std::vector<std::string>;

Entry entry(Zxid zxid) {
  return {zxid, std::make_shared<const Bytes>(Bytes{1, 2, 3})};
}
std::vector<Entry> entries(std::uint32_t epoch, std::uint64_t count) {
  std::vector<Entry> all;
  for (std::uint64_t counter = 1; counter <= count; ++counter) {
    all.push_back(entry(Zxid{Epoch{epoch}, counter}));
  }
  return all;
}
bool has(const Words& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}
Zxid last_of(ZabRing& ring, std::uint64_t id) {
  return ring.members[id].zab->history().last();
}
std::size_t delivered_count(ZabRing& ring, std::uint64_t id) {
  return ring.members[id].delivered.size();
}

struct Running : ZabRing {  // three voters, 3 leads (the greatest id of equal logs)
  Running() : ZabRing({1, 2, 3}) {
    start_all();
    REQUIRE(leader() == 3);
    trace.clear();
  }
  void hold_disk(std::uint64_t id, bool hold) { members[id].disk_stuck = hold; }
};

}  // namespace

TEST_CASE("PhasesOfAFollowerInOrder") {
  ZabRing ring({1, 2, 3});
  ring.start_all();
  Words said = ring.said(3, 1);
  std::erase(said, "Notification");
  CHECK(said == Words{"LeaderInfo", "SyncStart", "NewLeader", "UpToDate"});
  Words answers = ring.said(1, 3);
  std::erase(answers, "Notification");
  CHECK(answers == Words{"FollowerInfo", "AckEpoch", "AckNewLeader"});
}

TEST_CASE("D1VoterAppliesOnlyWhatIsDurableHere") {
  Running ring;
  ring.hold_disk(1, true);
  ring.propose(3, "a");
  ring.settle();
  CHECK(delivered_count(ring, 3) == 1);  // 2 and 3 have it
  CHECK(delivered_count(ring, 1) == 0);
  ring.hold_disk(1, false);
  ring.settle();
  CHECK(delivered_count(ring, 1) == 1);
}

TEST_CASE("D1LeaderMayCommitBeforeItsOwnDiskButNotApply") {
  Running ring;
  ring.hold_disk(3, true);
  ring.propose(3, "a");
  ring.settle();
  CHECK(ring.members[3].zab->committed() == last_of(ring, 3));
  CHECK(delivered_count(ring, 3) == 0);
  CHECK(delivered_count(ring, 1) == 1);
}

TEST_CASE("D2AckLeavesOnlyAfterTheDisk") {
  Running ring;
  ring.hold_disk(1, true);
  ring.hold_disk(2, true);
  ring.propose(3, "a");
  ring.propose(3, "b");
  ring.settle();
  CHECK_FALSE(has(ring.said(1, 3), "Ack"));
  CHECK(delivered_count(ring, 3) == 0);
  ring.hold_disk(1, false);
  ring.settle();
  CHECK(has(ring.said(1, 3), "Ack"));
  CHECK(delivered_count(ring, 3) == 2);
}

TEST_CASE("D2NoMemberIsHeldToHaveWhatWasNeverSent") {
  ZabRing ring({1, 2, 3});
  ring.members[1].disk_stuck = true;
  ring.start_all();
  REQUIRE(ring.leader() == 3);
  ring.complete(1);  // its promise; the history that it is given after that is not durable yet
  ring.messages();
  ring.cut(2, 3);
  ring.propose(3, "a");
  ring.complete(3);
  const std::uint64_t run = ring.members[3].zab->followers()->at(MemberId{1}).run;
  ring.step(3, Received{MemberId{1}, {run, AckNewLeader{Zxid{1}}}});
  CHECK(ring.members[3].closed == Words{"it acknowledges what was never sent"});
  CHECK(delivered_count(ring, 3) == 0);
}

TEST_CASE("ACommitOfWhatIsInNoHistoryEndsTheLink") {
  Running ring;
  const std::uint64_t run = ring.members[3].zab->followers()->at(MemberId{1}).run;
  ring.propose(3, "a");
  ring.deliver(3, 1);
  ring.complete(1);
  ring.step(1, Received{MemberId{3}, {run, Commit{Zxid{1}}}});  // below the first, above nothing
  REQUIRE(ring.members[1].closed.size() == 1);
  CHECK(ring.members[1].closed[0].find("never proposed") != std::string::npos);
  CHECK(delivered_count(ring, 1) == 0);

  Staging staging;
  const History own(Zxid{}, entries(2, 3));
  CHECK(staging.start({SyncMode::kDiff, Zxid{Epoch{2}, 3}}, own, {}));
  CHECK(staging.add_entries(entries(3, 2)));
  const Zxid last{Epoch{3}, 2};
  for (const Zxid fine : {Zxid{}, Zxid{Epoch{2}, 2}, Zxid{Epoch{2}, 3}, Zxid{Epoch{3}, 1}, last}) {
    CHECK(staging.check({Epoch{3}, last, fine}, own));
  }
  for (const Zxid wrong : {Zxid{1}, Zxid{Epoch{2}, 4}, Zxid{Epoch{3}, 3}}) {
    CHECK_FALSE(staging.check({Epoch{3}, last, wrong}, own));
  }
}

TEST_CASE("D3HistoryAndEpochsAreOneDurableStepBeforeTheAck") {
  ZabRing ring({1, 2, 3});
  ring.members[3].disk.log = entries(1, 3);
  ring.start_all();
  ring.kill(1);
  ring.propose(3, "a");
  ring.settle();
  ring.trace.clear();
  ring.members[1].disk_stuck = true;
  ring.start(1);
  ring.settle();
  REQUIRE(ring.members[1].disk_work.size() == 1);
  const auto& change = std::get<SwitchHistory>(ring.members[1].disk_work.front());
  CHECK(change.current == change.accepted);
  CHECK(change.entries.size() == 1);
  CHECK_FALSE(has(ring.said(1, 3), "AckNewLeader"));
  ring.members[1].disk_stuck = false;
  ring.settle();
  CHECK(has(ring.said(1, 3), "AckNewLeader"));
}

TEST_CASE("D4NoPromiseLeavesBeforeItIsDurable") {
  ZabRing ring({1, 2, 3});
  ring.members[1].disk_stuck = true;
  ring.members[3].disk_stuck = true;
  ring.members[2].disk_stuck = true;
  ring.start_all();
  CHECK(has(ring.said(3, 1), "LeaderInfo"));  // a question; all promises are written side by side
  CHECK_FALSE(has(ring.said(1, 3), "AckEpoch"));
  ring.members[1].disk_stuck = false;
  ring.members[2].disk_stuck = false;
  ring.settle();
  CHECK(has(ring.said(1, 3), "AckEpoch"));
  CHECK(has(ring.said(2, 3), "AckEpoch"));
  CHECK_FALSE(has(ring.said(3, 1), "SyncStart"));  // two of three, but not the leader's own
  ring.members[3].disk_stuck = false;
  ring.settle();
  CHECK(ring.leader() == 3);
}

TEST_CASE("D4AnEpochThatWasAskedForAndForgottenIsPromisedOnce") {
  ZabRing ring({1, 2, 3});
  ring.members[3].disk_stuck = true;
  ring.start_all();
  REQUIRE(ring.members[1].disk.accepted == Epoch{2});
  REQUIRE(ring.members[2].disk.accepted == Epoch{2});
  ring.kill(3);
  ring.kill(1);                              // who promised epoch 2 to the attempt of 3
  ring.members[2].disk.accepted = Epoch{1};  // as if that had not reached it
  ring.members[3].disk_stuck = false;
  ring.start(2);
  ring.start(3);
  ring.settle();
  REQUIRE(ring.leader() == 3);
  REQUIRE(ring.members[3].zab->current_epoch() == Epoch{2});  // 3 forgot that it had asked
  ring.members[1].disk_stuck = true;
  ring.start(1);
  ring.settle();
  CHECK(has(ring.said(1, 3), "AckEpoch"));  // without a word on disk: it promised before
  ring.members[1].disk_stuck = false;
  ring.settle();
  CHECK(ring.members[1].zab->reign());
}

TEST_CASE("D5GapInTheProposalsEndsTheLink") {
  Running ring;
  ring.propose(3, "a");
  ring.wires[{3, 1}].pop_front();
  ring.propose(3, "b");
  ring.messages();
  REQUIRE(ring.members[1].closed.size() == 1);
  CHECK(ring.members[1].closed[0].find("gap") != std::string::npos);
  CHECK(ring.members[1].disk.log.empty());
  ring.settle();  // synchronized anew
  CHECK(ring.members[1].delivered == ring.members[3].delivered);
  CHECK(delivered_count(ring, 1) == 2);
}

TEST_CASE("D6HistoryHalfReceivedCountsForNothing") {
  ZabRing ring({1, 2, 3});
  ring.members[3].disk.log = entries(1, 3);
  ring.members[2].disk.log = entries(1, 3);
  ring.start(2);
  ring.start(3);
  ring.settle();
  ring.start(1);
  Words got;
  for (int i = 0; i < 20 && !has(got, "SyncEntries"); ++i) {
    while (ring.deliver(1, 3)) {
    }
    ring.complete(1);
    ring.deliver(3, 1);
    got = ring.trace[{3, 1}];
  }
  REQUIRE(has(got, "SyncEntries"));
  while (!ring.wires[{3, 1}].empty() &&
         !std::holds_alternative<NewLeader>(ring.wires[{3, 1}].front().message)) {
    ring.deliver(3, 1);
  }
  ring.cut(1, 3);
  CHECK(last_of(ring, 1) == Zxid{});
  CHECK(ring.members[1].disk.log.empty());
}

TEST_CASE("D7TruncationBelowTheCommitPointIsRefused") {
  History own(Zxid{}, entries(1, 5));
  Staging staging;
  const Zxid commit{Epoch{1}, 4};
  CHECK(staging.start({SyncMode::kTrunc, Zxid{Epoch{1}, 4}}, own, commit));
  const Status refused = staging.start({SyncMode::kTrunc, Zxid{Epoch{1}, 3}}, own, commit);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kRefused);
}

TEST_CASE("D8LeaderServesOnlyAfterAQuorumOfDurableAcks") {
  ZabRing ring({1, 2, 3});
  ring.members[1].disk_stuck = true;
  ring.members[2].disk_stuck = true;
  ring.start_all();
  ring.complete(1);
  ring.complete(2);  // the promises
  ring.settle();
  CHECK(ring.members[3].zab->role() == Role::kLeading);
  CHECK(ring.leader() == 0);
  ring.complete(1);  // the history
  ring.settle();
  CHECK(ring.leader() == 3);
}

TEST_CASE("D10WorkAndMessagesOfAnEarlierRunAreDropped") {
  Running ring;
  ring.hold_disk(1, true);
  ring.propose(3, "a");
  ring.messages();
  ring.cut(1, 3);  // the append is still on its way to the disk
  CHECK(ring.members[1].zab->role() == Role::kLooking);
  ring.trace.clear();
  ring.join(1, 3);
  ring.messages();
  // It neither votes nor joins before its log is at rest, and the old append acknowledges nothing.
  CHECK_FALSE(has(ring.said(1, 3), "FollowerInfo"));
  ring.hold_disk(1, false);
  ring.settle();
  const Words said = ring.said(1, 3);
  CHECK(has(said, "FollowerInfo"));
  CHECK_FALSE(has(said, "Ack"));
  CHECK(delivered_count(ring, 1) == 1);
}

TEST_CASE("D14NewLeaderLeadsWithItsWholeLog") {
  // 1 and 2 hold z; the client was answered by 1, which died; 2 never heard the commit.
  ZabRing ring({1, 2, 3});
  const Zxid z{Epoch{1}, 1};
  ring.members[2].disk.log = {entry(z)};
  ring.start(2);
  ring.start(3);
  ring.settle();
  REQUIRE(ring.leader() == 2);
  CHECK(ring.members[2].delivered == std::vector<Zxid>{z});
  CHECK(ring.members[3].delivered == std::vector<Zxid>{z});
  CHECK(ring.members[3].disk.log.size() == 1);
}

TEST_CASE("D14LongerLogOfTheLastEpochWinsOverAGreaterId") {
  ZabRing ring({1, 2, 3});
  ring.members[1].disk.log = entries(1, 2);
  ring.members[3].disk.log = entries(1, 1);
  ring.start_all();
  CHECK(ring.leader() == 1);
}

TEST_CASE("D15RestartedVoterAppliesOnlyUpToTheCommitPointItKnows") {
  ZabRing ring({1, 2, 3});
  ring.members[1].disk.log = entries(1, 5);
  ring.members[1].disk.commit = Zxid{Epoch{1}, 2};
  ring.start(1);
  ring.settle();
  CHECK(delivered_count(ring, 1) == 2);
}

TEST_CASE("D16VoterInDoubtVotesOnlyWhenAllAnswer") {
  ZabRing ring({1, 2, 3});
  ring.members[1].disk.in_doubt = true;
  ring.members[2].disk.log = entries(1, 1);
  ring.start(1);
  ring.start(2);
  ring.pass(seconds(3));
  CHECK(ring.leader() == 0);
  ring.start(3);
  ring.settle();
  CHECK(ring.leader() == 2);
  CHECK_FALSE(ring.members[1].disk.in_doubt);  // synchronized by a quorum without it
}

TEST_CASE("D16MemberInDoubtPersistsNoPromise") {
  ZabRing ring({1, 2, 3});
  ring.members[1].disk = ZabStart{};  // wiped
  ring.members[1].disk_stuck = true;
  ring.start_all();
  CHECK(ring.leader() == 3);
  REQUIRE(ring.members[1].disk_work.size() == 1);
  CHECK(std::holds_alternative<SwitchHistory>(ring.members[1].disk_work.front()));
}

// A deposed leader that has not found out yet, and a voter that comes back without what it had
// acknowledged to the new one: together they would be a quorum that knows nothing of that.
TEST_CASE("D16WipedVoterIsTakenInOnlyWhereAQuorumWithoutItStillFollows") {
  Running ring;
  ring.propose(3, "known to all");
  ring.settle();
  ring.cut(3, 1);
  ring.cut(3, 2);
  ring.settle();
  REQUIRE(ring.members[2].zab->leading() != nullptr);
  ring.propose(2, "acknowledged by 1 and 2");
  ring.settle();
  const std::vector<Zxid> acknowledged = ring.members[2].delivered;
  REQUIRE(acknowledged.size() == 2);

  ring.kill(1);
  ring.members[1].disk = ZabStart{};
  ring.start(1);
  ring.cut(1, 2);  // the deposed leader is the first that it reaches
  ring.settle();
  REQUIRE(ring.members[3].zab->leading() != nullptr);  // no election timeout has passed
  ring.propose(3, "of a leader without a quorum");
  ring.settle();
  CHECK(delivered_count(ring, 3) == 1);
  ring.pass(seconds(3));
  CHECK(ring.members[1].zab->role() != Role::kLeading);
  CHECK(ring.members[3].zab->leading() == nullptr);

  ring.join(1, 2);
  ring.join(2, 3);
  ring.pass(seconds(3));
  for (const std::uint64_t id : {1, 2, 3}) {
    REQUIRE(delivered_count(ring, id) >= 1);
    CHECK(ring.members[id].delivered.back() == acknowledged.back());
    CHECK(ring.members[id].zab->reign().has_value());
  }
}

TEST_CASE("D17RingIsBornOnceByAllVotersAndEmpty") {
  ZabRing ring({1, 2, 3});
  for (const std::uint64_t id : {1, 2, 3}) {
    ring.members[id].disk = ZabStart{};
  }
  ring.start(1);
  ring.start(2);
  ring.pass(seconds(3));
  CHECK(ring.leader() == 0);
  ring.start(3);
  ring.settle();
  CHECK(ring.leader() == 3);
  CHECK(ring.members[1].disk.birth);
  CHECK(ring.members[1].disk.birth == ring.members[2].disk.birth);
  CHECK(ring.members[1].disk.birth == ring.members[3].disk.birth);
}

TEST_CASE("D18EpochsEndAtTheBound") {
  ZabRing ring({1});
  ring.members[1].disk.accepted = Epoch{kMaxEpoch - 1};
  ring.start_all();
  CHECK(ring.leader() == 1);
  CHECK(ring.members[1].disk.current == Epoch{kMaxEpoch});
  ring.kill(1);
  ring.start(1);
  ring.pass(milliseconds(500));
  CHECK(ring.leader() == 0);
}
