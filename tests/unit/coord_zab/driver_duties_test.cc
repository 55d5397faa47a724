// Sessions, syncs, observers, handing over, fencing, digests: what the driver adds to Zab.
#include <doctest/doctest.h>

#include <algorithm>

#include "driver_ring.h"

using namespace ringside;
using namespace ringside::coord;
using ringside::coord::test::DriverRing;

namespace {

constexpr std::uint64_t kObserver = kMinObserverId + 7;

struct RunningRing : DriverRing {
  explicit RunningRing(std::vector<std::uint64_t> ids) : DriverRing(ids) {
    for (const std::uint64_t id : ids) {
      start(id);
    }
    pass(milliseconds(500));
  }
};

std::uint64_t follower_of(DriverRing& ring) {
  return ring.leader() == 1 ? 2 : 1;
}

SessionId open_session(DriverRing& ring, std::uint64_t at, milliseconds timeout) {
  const auto reply = ring.ask(at, Request{SessionId{}, CreateSession{timeout}});
  REQUIRE(reply);
  REQUIRE(reply->error == ZkError::kOk);
  return reply->session;
}

void create_ephemeral(DriverRing& ring, std::uint64_t at, SessionId session, std::string path) {
  Create create;
  create.path = std::move(path);
  create.mode = CreateMode::kEphemeral;
  create.make_parents = true;
  const auto reply = ring.ask(at, Request{session, Multi{{create}}});
  REQUIRE(reply);
  REQUIRE(reply->error == ZkError::kOk);
}

}  // namespace

TEST_CASE("SessionLivesWhileTouchedAtAFollowerAndItsNodesGoAfterThat") {
  RunningRing ring({1, 2, 3});
  const std::uint64_t at = follower_of(ring);
  const SessionId session = open_session(ring, at, milliseconds(1000));
  create_ephemeral(ring, at, session, "/e");
  for (int i = 0; i < 20; ++i) {
    ring.driver(at).touch(ring.now, session);
    ring.pass(milliseconds(300));
  }
  CHECK(ring.driver(at).registry().get("/e"));
  ring.pass(milliseconds(600));
  CHECK(ring.driver(at).registry().get("/e"));
  ring.pass(milliseconds(600));
  CHECK_FALSE(ring.driver(at).registry().get("/e"));
  CHECK(ring.driver(at).registry().sessions().empty());
}

TEST_CASE("SessionTimeoutIsClamped") {
  RunningRing ring({1});
  const auto low = ring.ask(1, Request{SessionId{}, CreateSession{milliseconds(1)}});
  REQUIRE(low);
  CHECK(low->session_timeout == milliseconds(200));
  const auto high = ring.ask(1, Request{SessionId{}, CreateSession{milliseconds(100'000'000)}});
  REQUIRE(high);
  CHECK(high->session_timeout == milliseconds(600'000));
  CHECK(low->session != high->session);
  CHECK((low->session.value >> 56U) == 1);
}

TEST_CASE("NobodyExpiresWithoutAQuorumAndANewLeaderGivesAFullTimeout") {
  RunningRing ring({1, 2, 3});
  const std::uint64_t first = ring.leader();
  const SessionId session = open_session(ring, first, milliseconds(2000));
  create_ephemeral(ring, first, session, "/e");
  ring.cut(1, 2);
  ring.cut(2, 3);
  ring.cut(1, 3);
  ring.pass(seconds(20));
  CHECK(ring.leader() == 0);
  for (const std::uint64_t id : {1, 2, 3}) {
    CHECK(ring.driver(id).registry().get("/e"));
  }
  ring.join(1, 2);
  ring.join(2, 3);
  ring.join(1, 3);
  ring.pass(milliseconds(1500));
  CHECK(ring.leader() != 0);
  CHECK(ring.driver(1).registry().get("/e"));
  ring.pass(milliseconds(2000));
  CHECK_FALSE(ring.driver(1).registry().get("/e"));
}

TEST_CASE("SyncIsAnsweredByALeaderWithAQuorumOnly") {
  RunningRing ring({1, 2, 3});
  const std::uint64_t leader = ring.leader();
  const std::uint64_t follower = follower_of(ring);
  CHECK(ring.ask(follower, Request{SessionId{}, Sync{}})->error == ZkError::kOk);
  CHECK(ring.ask(leader, Request{SessionId{}, Sync{}})->error == ZkError::kOk);
  for (const std::uint64_t other : {1, 2, 3}) {
    if (other != leader) {
      ring.cut(leader, other);
    }
  }
  CHECK_FALSE(ring.ask(leader, Request{SessionId{}, Sync{}}));
  ring.pass(seconds(2));  // it finds that it has no quorum, and says that the outcome is unknown
  CHECK(ring.member(leader).ports->answers.back().reply.error == ZkError::kConnectionLoss);
}

TEST_CASE("PausedLeaderAnswersNothingBeforeItFindsItselfDeposed") {
  RunningRing ring({1, 2, 3});
  const std::uint64_t leader = ring.leader();
  for (const std::uint64_t other : {1, 2, 3}) {
    if (other != leader) {
      ring.cut(leader, other);
    }
  }
  ring.sleep(seconds(3));
  const auto reply = ring.create(leader, "/never");
  REQUIRE(reply);
  CHECK(reply->error == ZkError::kConnectionLoss);
  CHECK_FALSE(ring.driver(leader).status().leader);
}

TEST_CASE("RequestsUnderWayAreAnsweredWhenTheLeaderIsLost") {
  RunningRing ring({1, 2, 3});
  const std::uint64_t follower = follower_of(ring);
  ring.driver(follower).submit(ring.now, RequestId{777},
                               Request{SessionId{}, CreateSession{milliseconds(5000)}});
  ring.kill(ring.leader());
  const auto& answers = ring.member(follower).ports->answers;
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].id == RequestId{777});
  CHECK(answers[0].reply.error == ZkError::kConnectionLoss);
  ring.pass(seconds(1));
  CHECK(answers.size() == 1);  // exactly one answer
}

TEST_CASE("ObserverHoldsTheScopeAndForwardsWrites") {
  RunningRing ring({1, 2, 3});
  REQUIRE(ring.create(1, "/outside")->error == ZkError::kOk);
  REQUIRE(ring.create(1, "/ringside")->error == ZkError::kOk);
  ring.start(kObserver);
  ring.pass(milliseconds(300));
  const Driver& observer = ring.driver(kObserver);
  CHECK(observer.status().role == Role::kObserving);
  CHECK(observer.registry().get("/ringside"));
  CHECK_FALSE(observer.registry().get("/outside"));

  const SessionId session = open_session(ring, kObserver, milliseconds(1000));
  create_ephemeral(ring, kObserver, session, "/ringside/services/a/b");
  CHECK(observer.registry().get("/ringside/services/a/b"));  // read your writes
  for (int i = 0; i < 10; ++i) {
    ring.driver(kObserver).touch(ring.now, session);
    ring.pass(milliseconds(400));
  }
  CHECK(ring.driver(1).registry().get("/ringside/services/a/b"));
  CHECK(ring.ask(kObserver, Request{SessionId{}, Sync{}})->error == ZkError::kOk);
  ring.pass(milliseconds(1500));
  CHECK_FALSE(observer.registry().get("/ringside/services/a/b"));
  CHECK(ring.errors.empty());
}

TEST_CASE("ObserverFindsTheNextLeaderAndItsViewMovesOnWithoutChangesInScope") {
  RunningRing ring({1, 2, 3});
  REQUIRE(ring.create(1, "/ringside")->error == ZkError::kOk);
  ring.start(kObserver);
  ring.pass(milliseconds(300));
  const std::uint64_t first = ring.leader();
  ring.kill(first);
  ring.pass(milliseconds(300));
  const std::uint64_t second = ring.leader();
  REQUIRE(second != 0);
  CHECK(ring.driver(kObserver).status().leader == MemberId{second});
  REQUIRE(ring.create(second, "/outside")->error == ZkError::kOk);
  ring.pass(milliseconds(200));
  CHECK(ring.driver(kObserver).status().applied == ring.driver(second).status().applied);
}

TEST_CASE("LeaderThatHandsOverIsFollowedAtOnceByAnother") {
  RunningRing ring({1, 2, 3});
  const std::uint64_t first = ring.leader();
  REQUIRE(ring.create(first, "/a")->error == ZkError::kOk);
  const Instant before = ring.now;
  ring.driver(first).hand_over(ring.now);
  ring.driver(first).hand_over(ring.now);
  ring.settle();
  CHECK(ring.now == before);
  CHECK(ring.leader() != 0);
  CHECK(ring.leader() != first);
  CHECK(ring.create(first, "/b")->error == ZkError::kOk);  // it goes on as a follower
}

TEST_CASE("D9FailedDiskEndsTheMemberForGood") {
  RunningRing ring({1, 2, 3});
  const std::uint64_t leader = ring.leader();
  ring.member(leader).disk_stuck = true;
  ring.driver(leader).submit(ring.now, RequestId{9}, Request{SessionId{}, CreateSession{}});
  REQUIRE_FALSE(ring.member(leader).disk.waiting.empty());
  const DiskBatchId batch = ring.member(leader).disk.waiting.front().id;
  ring.driver(leader).on_disk_done(ring.now, batch, fail(ErrorCode::kIo, "no space left"));
  REQUIRE(ring.member(leader).ports->fence);
  const std::size_t answered = ring.member(leader).ports->answers.size();
  ring.driver(leader).submit(ring.now, RequestId{10}, Request{SessionId{}, CreateSession{}});
  ring.pass(seconds(2));
  CHECK(ring.member(leader).ports->answers.size() == answered);
  CHECK(ring.leader() != leader);
  CHECK(ring.leader() != 0);
  CHECK(ring.driver(leader).next_deadline() == kNever);
}

TEST_CASE("D17MembersOfAnotherBirthAreRefused") {
  RunningRing ring({1});
  Handshake theirs = ring.driver(1).handshake();
  theirs.id = MemberId{kObserver};
  theirs.voter = false;
  CHECK(ring.driver(1).accept_peer(theirs));
  theirs.birth = BirthId{theirs.birth.value + 1};
  CHECK_FALSE(ring.driver(1).accept_peer(theirs));
  theirs.birth = BirthId{};
  CHECK(ring.driver(1).accept_peer(theirs));
  theirs.ring_name = "other";
  CHECK_FALSE(ring.driver(1).accept_peer(theirs));
}

TEST_CASE("BytesThatNoMemberSendsAreAnError") {
  RunningRing ring({1, 2, 3});
  const Bytes garbage{99, 1, 2, 3};
  CHECK_FALSE(ring.driver(1).on_frame(ring.now, MemberId{2}, garbage));
  CHECK_FALSE(ring.driver(1).on_frame(ring.now, MemberId{2}, Bytes{}));
  CHECK(ring.leader() != 0);
}
