// Sessions across members: resumed, moved, ended in slices; who has routed what; storms.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "coord/codec/peer_message.h"
#include "driver_ring.h"

using namespace ringside;
using namespace ringside::coord;
using ringside::coord::test::Answer;
using ringside::coord::test::DriverRing;

namespace {

constexpr std::uint64_t kObserver = kMinObserverId + 7;

struct SessionRing : DriverRing {
  explicit SessionRing(std::vector<std::uint64_t> ids, std::size_t slice_nodes = kCloseSliceNodes)
      : DriverRing(ids) {
    options.close_slice_nodes = slice_nodes;
    for (const std::uint64_t id : ids) {
      start(id);
    }
    pass(milliseconds(500));
  }

  std::uint64_t follower(std::size_t nth = 0) {
    std::vector<std::uint64_t> all;
    for (const MemberId id : voters) {
      if (id.value != leader()) {
        all.push_back(id.value);
      }
    }
    return all.at(nth);
  }
  Reply open(std::uint64_t at, milliseconds timeout = milliseconds(2000), bool sidecar = false) {
    const auto reply = ask(at, Request{SessionId{}, CreateSession{timeout, sidecar}});
    REQUIRE(reply);
    REQUIRE(reply->error == ZkError::kOk);
    return *reply;
  }
  Reply resume(std::uint64_t at, SessionId session, Bytes secret) {
    const auto reply = ask(at, Request{session, ResumeSession{std::move(secret)}});
    REQUIRE(reply);
    return *reply;
  }
  ZkError write(std::uint64_t at, SessionId session, std::string path, std::size_t nodes = 1,
                CreateMode mode = CreateMode::kEphemeral) {
    Multi multi;
    for (std::size_t i = 0; i < nodes; ++i) {
      Create create;
      create.path = nodes == 1 ? path : path + std::to_string(i);
      create.mode = mode;
      create.make_parents = true;
      multi.ops.emplace_back(std::move(create));
    }
    const auto reply = ask(at, Request{session, std::move(multi)});
    REQUIRE(reply);
    return reply->error;
  }
  Reply behind(std::uint64_t at, Zxid zxid) {
    const auto reply = ask(at, Request{SessionId{}, Routed{zxid}});
    REQUIRE(reply);
    return *reply;
  }
  void cut_off(std::uint64_t id) {
    for (const auto& [other, entry] : members) {
      if (other.value != id) {
        cut(id, other.value);
      }
    }
  }
  void join_all(std::uint64_t id) {
    for (const auto& [other, entry] : members) {
      if (other.value != id) {
        join(id, other.value);
      }
    }
  }
};

}  // namespace

TEST_CASE("SessionMovesWithItsSecretAndTheOldMemberIsRefused") {
  SessionRing ring({1, 2, 3});
  ring.start(kObserver);
  ring.pass(milliseconds(300));
  const std::uint64_t first = ring.follower(0);
  const Reply opened = ring.open(first);
  CHECK(opened.secret.size() == kSecretBytes);
  for (const std::uint64_t next : {ring.follower(1), ring.leader(), kObserver}) {
    const Reply resumed = ring.resume(next, opened.session, opened.secret);
    CHECK(resumed.error == ZkError::kOk);
    CHECK(resumed.session == opened.session);
    CHECK(resumed.session_timeout == opened.session_timeout);
    CHECK(resumed.secret == opened.secret);
    CHECK(ring.write(next, opened.session, "/at-" + std::to_string(next)) == ZkError::kOk);
    CHECK(ring.write(first, opened.session, "/late") == ZkError::kSessionMoved);
    CHECK(ring.ask(first, Request{opened.session, CloseSession{}})->error ==
          ZkError::kSessionMoved);
  }
  CHECK_FALSE(ring.driver(1).registry().get("/late"));
  CHECK(ring.driver(1).registry().ephemerals(opened.session).size() == 3);
}

TEST_CASE("AResumeDoesNotTellAWrongSecretFromASessionThatIsGone") {
  SessionRing ring({1, 2, 3});
  const Reply opened = ring.open(1);
  const Reply other = ring.open(1);
  for (const std::uint64_t at : {1, 2, 3}) {
    CHECK(ring.resume(at, opened.session, other.secret).error == ZkError::kSessionExpired);
    CHECK(ring.resume(at, opened.session, {}).error == ZkError::kSessionExpired);
    CHECK(ring.resume(at, SessionId{77}, opened.secret).error == ZkError::kSessionExpired);
    CHECK(ring.resume(at, opened.session, other.secret).secret.empty());
  }
  CHECK(ring.write(1, opened.session, "/still-here") == ZkError::kOk);  // nobody took it away
  CHECK(ring.ask(1, Request{opened.session, CloseSession{}})->error == ZkError::kOk);
  CHECK(ring.resume(2, opened.session, opened.secret).error == ZkError::kSessionExpired);
}

TEST_CASE("TouchesCountFromTheMemberThatHoldsTheSessionOnly") {
  SessionRing ring({1, 2, 3});
  const std::uint64_t first = ring.follower(0);
  const std::uint64_t second = ring.follower(1);
  const Reply opened = ring.open(first, milliseconds(1000));
  for (int i = 0; i < 10; ++i) {
    ring.driver(second).touch(ring.now, opened.session);
    ring.driver(ring.leader()).touch(ring.now, opened.session);
    ring.pass(milliseconds(200));
  }
  CHECK(ring.driver(1).registry().sessions().empty());
  const Reply again = ring.open(first, milliseconds(1000));
  CHECK(ring.resume(second, again.session, again.secret).error == ZkError::kOk);
  for (int i = 0; i < 10; ++i) {
    ring.driver(second).touch(ring.now, again.session);
    ring.pass(milliseconds(200));
  }
  CHECK(ring.driver(1).registry().sessions().size() == 1);
}

TEST_CASE("ANewLeaderTakesTheFirstUserForTheHolderAndAResumeSettlesIt") {
  SessionRing ring({1, 2, 3, 4, 5});
  const Reply opened = ring.open(ring.follower(0));
  const std::uint64_t old_leader = ring.leader();
  ring.kill(old_leader);
  ring.pass(milliseconds(1500));
  REQUIRE(ring.leader() != 0);
  const auto alive = [&](std::size_t nth) {
    std::vector<std::uint64_t> all;
    for (const std::uint64_t id : {1, 2, 3, 4, 5}) {
      if (id != old_leader) {
        all.push_back(id);
      }
    }
    return all.at(nth);
  };
  CHECK(ring.write(alive(1), opened.session, "/left-behind") == ZkError::kOk);
  CHECK(ring.write(alive(2), opened.session, "/refused") == ZkError::kSessionMoved);
  CHECK(ring.resume(alive(2), opened.session, opened.secret).error == ZkError::kOk);
  CHECK(ring.write(alive(2), opened.session, "/mine") == ZkError::kOk);
  CHECK(ring.write(alive(1), opened.session, "/late") == ZkError::kSessionMoved);
}

TEST_CASE("NobodyResumesWithoutAQuorumThatFollows") {
  SessionRing ring({1, 2, 3});
  const std::uint64_t leader = ring.leader();
  const Reply opened = ring.open(leader);
  ring.cut_off(leader);
  CHECK_FALSE(ring.ask(leader, Request{opened.session, ResumeSession{opened.secret}}));
  CHECK_FALSE(ring.ask(leader, Request{SessionId{}, Routed{Zxid{1}}}));
  ring.pass(seconds(2));
  const auto& answers = ring.member(leader).ports->answers;
  REQUIRE(answers.size() >= 2);
  CHECK(answers[answers.size() - 1].reply.error == ZkError::kConnectionLoss);
  CHECK(answers[answers.size() - 2].reply.error == ZkError::kConnectionLoss);
}

TEST_CASE("ALargeSessionEndsInSlicesAndItsOwnerHearsTheLast") {
  SessionRing ring({1, 2, 3}, 4);
  const std::uint64_t at = ring.follower();
  const Reply opened = ring.open(at);
  CHECK(ring.write(at, opened.session, "/e/", 11) == ZkError::kOk);
  const std::size_t before = ring.member(at).ports->applied_zxids.size();
  const auto closed = ring.ask(at, Request{opened.session, CloseSession{}});
  REQUIRE(closed);
  CHECK(closed->error == ZkError::kOk);
  // The mark, 4, 4 and the last 3.
  CHECK(ring.member(at).ports->applied_zxids.size() == before + 4);
  CHECK(closed->zxid == ring.member(at).ports->applied_zxids.back());
  CHECK(ring.driver(at).registry().children("/e")->empty());
  CHECK(ring.driver(at).registry().sessions().empty());
}

TEST_CASE("ASessionThatIsClosingIsOverForEverybodyAndANewLeaderFinishesIt") {
  SessionRing ring({1, 2, 3}, 4);
  const std::uint64_t leader = ring.leader();
  const Reply opened = ring.open(leader);
  CHECK(ring.write(leader, opened.session, "/e/", 30) == ZkError::kOk);
  // Step by step until the others know that it is closing.
  ring.driver(leader).submit(ring.now, RequestId{5}, Request{opened.session, CloseSession{}});
  Rng rng(9);
  const auto marked_everywhere = [&] {
    return std::ranges::all_of(ring.voters, [&](MemberId id) {
      const auto session = ring.driver(id.value).registry().session(opened.session);
      return session && session->closing;
    });
  };
  for (int i = 0; i < 1000 && !marked_everywhere(); ++i) {
    ring.stir(rng);
  }
  REQUIRE(marked_everywhere());
  REQUIRE_FALSE(ring.driver(leader).registry().ephemerals(opened.session).empty());
  ring.kill(leader);
  ring.pass(milliseconds(600));
  const std::uint64_t next = ring.leader();
  REQUIRE(next != 0);
  CHECK(ring.driver(next).registry().sessions().empty());
  CHECK(ring.driver(next).registry().children("/e")->empty());
  CHECK(ring.resume(next, opened.session, opened.secret).error == ZkError::kSessionExpired);
}

TEST_CASE("MassExpiryOfLargeSessionsIsBoundedPerStep") {
  SessionRing ring({1}, 8);
  for (int i = 0; i < 200; ++i) {
    const Reply opened = ring.open(1, milliseconds(400));
    CHECK(ring.write(1, opened.session, "/e" + std::to_string(i) + "/", i % 2 == 0 ? 20 : 3) ==
          ZkError::kOk);
  }
  ring.pass(milliseconds(1500));
  CHECK(ring.driver(1).registry().sessions().empty());
  for (int i = 0; i < 200; ++i) {
    CHECK(ring.driver(1).registry().children("/e" + std::to_string(i))->empty());
  }
}

TEST_CASE("RoutedIsTheLeastOfTheLivingSidecarsAndNamesWhoIsBehind") {
  SessionRing ring({1, 2, 3});
  ring.start(kObserver);
  ring.pass(milliseconds(300));
  const std::vector<std::uint64_t> all{1, 2, 3, kObserver};
  std::vector<SessionId> sessions;
  for (const std::uint64_t id : all) {
    sessions.push_back(ring.open(id, milliseconds(3000), true).session);
  }
  ring.open(1);  // another client does not count
  ring.create(1, "/x");
  const Zxid target = ring.driver(ring.leader()).registry().applied();
  const auto beat = [&](milliseconds time) {
    for (int i = 0; i < time / milliseconds(100); ++i) {
      for (std::size_t n = 0; n < all.size(); ++n) {
        if (ring.member(all[n]).driver) {
          ring.driver(all[n]).touch(ring.now, sessions[n]);
        }
      }
      ring.pass(milliseconds(100));
    }
  };
  Reply reply = ring.behind(ring.follower(), target);
  CHECK(reply.error == ZkError::kOk);
  CHECK(reply.behind.size() == 4);  // nobody has said anything yet
  CHECK(reply.routed == Zxid{});
  for (const std::uint64_t id : {1, 2, 3}) {
    ring.driver(id).set_routed(ring.now, target);
  }
  ring.driver(kObserver).set_routed(ring.now, Zxid{target.packed - 1});
  beat(milliseconds(300));
  for (const std::uint64_t at : all) {
    reply = ring.behind(at, target);
    REQUIRE(reply.behind.size() == 1);
    CHECK(reply.behind[0].session == sessions[3]);
    CHECK(reply.behind[0].member == MemberId{kObserver});
    CHECK(reply.behind[0].routed == Zxid{target.packed - 1});
    CHECK(reply.routed == Zxid{target.packed - 1});
  }
  const RingStatus status = ring.driver(ring.leader()).status();
  CHECK(status.routed_minimum == Zxid{target.packed - 1});
  CHECK(std::ranges::all_of(status.members,
                            [](const MemberStatus& m) { return m.routed.has_value(); }));
  CHECK_FALSE(ring.driver(ring.follower()).status().routed_minimum);

  ring.driver(kObserver).set_routed(ring.now, target);
  ring.driver(kObserver).set_routed(ring.now, Zxid{1});  // never lowered
  beat(milliseconds(300));
  CHECK(ring.behind(1, target).behind.empty());
  CHECK(ring.behind(1, target).routed == target);

  // Not attached: behind until its session ends.
  ring.cut_off(kObserver);
  beat(milliseconds(300));
  REQUIRE(ring.behind(1, target).behind.size() == 1);
  CHECK(ring.behind(1, target).behind[0].routed == Zxid{});
  ring.kill(kObserver);
  beat(milliseconds(4000));
  CHECK(ring.behind(1, target).behind.empty());
}

TEST_CASE("ANewAttachmentBeginsWithoutAWordOfWhatWasRouted") {
  SessionRing ring({1, 2, 3});
  const std::uint64_t at = ring.follower();
  ring.open(at, milliseconds(60'000), true);
  ring.create(at, "/x");
  const Zxid target = ring.driver(at).registry().applied();
  ring.driver(at).set_routed(ring.now, target);
  ring.pass(milliseconds(300));
  CHECK(ring.behind(at, target).behind.empty());
  ring.kill(at);
  ring.start(at);  // its data path starts anew, and has adopted nothing
  ring.pass(milliseconds(500));
  CHECK(ring.behind(at, target).behind.size() == 1);
  ring.driver(at).set_routed(ring.now, target);
  ring.pass(milliseconds(300));
  CHECK(ring.behind(at, target).behind.empty());
}

TEST_CASE("TouchesOverTheBoundOfOneBeatGoWithTheNext") {
  SessionRing ring({1, 2, 3});
  const std::uint64_t at = ring.follower();
  const Reply opened = ring.open(at, milliseconds(1000));
  for (int i = 0; i < 10; ++i) {
    // Far more than one beat carries, all before the one that matters.
    for (std::uint64_t other = 0; other < 2 * (1U << 16U); ++other) {
      ring.driver(at).touch(ring.now, SessionId{(1ULL << 62U) + other});
    }
    ring.driver(at).touch(ring.now, opened.session);
    ring.pass(milliseconds(400));
  }
  CHECK(ring.driver(at).registry().sessions().size() == 1);
  CHECK(ring.errors.empty());
}

TEST_CASE("ALeaderThatWasPausedAfterItsRoundAnswersNoSyncAskedLater") {
  SessionRing ring({1, 2, 3});
  const std::uint64_t old_leader = ring.leader();
  ring.create(old_leader, "/before");
  // The round of this one ends, and so it is answered: it was asked before the pause.
  const auto asked_before = ring.ask(old_leader, Request{SessionId{}, Sync{}});
  REQUIRE(asked_before);
  CHECK(asked_before->error == ZkError::kOk);
  // The round of this one is under way when the process stands still.
  ring.driver(old_leader).submit(ring.now, RequestId{1}, Request{SessionId{}, Sync{}});
  const std::size_t answers = ring.member(old_leader).ports->answers.size();
  auto paused = std::move(ring.member(old_leader).driver);
  ring.cut_off(old_leader);  // it hears nothing of that
  ring.pass(seconds(3));
  const std::uint64_t next = ring.leader();
  REQUIRE(next != 0);
  REQUIRE(ring.create(next, "/after")->error == ZkError::kOk);
  ring.member(old_leader).driver = std::move(paused);
  // It wakes and is asked at once, before its clock tells it anything.
  for (const Request& request :
       {Request{SessionId{}, Sync{}}, Request{SessionId{}, Routed{Zxid{1}}}}) {
    const auto reply = ring.ask(old_leader, request);
    CHECK((!reply || reply->error == ZkError::kConnectionLoss));
  }
  ring.call_on_time();
  ring.settle();
  const auto& all = ring.member(old_leader).ports->answers;
  CHECK(all.size() == answers + 3);
  for (std::size_t i = answers; i < all.size(); ++i) {
    CHECK(all[i].reply.error == ZkError::kConnectionLoss);
  }
  ring.join_all(old_leader);
  ring.pass(seconds(2));
  CHECK(ring.ask(old_leader, Request{SessionId{}, Sync{}})->error == ZkError::kOk);
  CHECK(ring.driver(old_leader).registry().get("/after"));
}

TEST_CASE("AStormOfSessionsIsRefusedNothingAndWrittenInFewAppends") {
  SessionRing ring({1, 2, 3});
  constexpr std::uint64_t kStorm = 10'000;  // what one member may have outstanding
  const std::uint64_t at = ring.follower();
  ring.member(at).ports->answers.clear();
  // All of it comes while each disk is busy with the first.
  for (const std::uint64_t id : {1, 2, 3}) {
    ring.member(id).disk_stuck = true;
    ring.member(id).disk.batches = 0;
  }
  std::vector<LocalRequest> storm;
  for (std::uint64_t i = 1; i <= kStorm; ++i) {
    storm.push_back({RequestId{i}, Request{SessionId{}, CreateSession{}}});
  }
  ring.member(at).ports->sends = 0;
  ring.driver(at).submit(ring.now, std::move(storm));
  CHECK(ring.member(at).ports->sends == (kStorm + kMaxForwarded - 1) / kMaxForwarded);
  ring.settle();
  for (const std::uint64_t id : {1, 2, 3}) {
    CHECK(ring.member(id).disk.batches <= 4);  // the spare segment is made beside it
    ring.member(id).disk_stuck = false;
  }
  ring.settle();
  for (const std::uint64_t id : {1, 2, 3}) {
    CHECK(ring.member(id).disk.batches <= 8);
    CHECK(ring.driver(id).registry().session_count() == kStorm);
  }
  const auto& answers = ring.member(at).ports->answers;
  CHECK(answers.size() == kStorm);
  CHECK(
      std::ranges::all_of(answers, [](const Answer& a) { return a.reply.error == ZkError::kOk; }));
}

TEST_CASE("WhatIsAskedTogetherKeepsItsOrderAndItsBoundInBytes") {
  SessionRing ring({1, 2, 3});
  const std::uint64_t at = ring.follower();
  ring.create(at, "/s");
  ring.member(at).ports->answers.clear();
  std::vector<LocalRequest> asked;
  for (std::uint64_t i = 1; i <= 40; ++i) {
    Create create;
    create.path = "/s/n-";
    create.mode = CreateMode::kPersistentSequential;
    create.data.assign(kMaxForwardedBytes / 8, 'x');
    asked.push_back({RequestId{i}, Request{SessionId{}, Multi{{create}}}});
  }
  asked.push_back({RequestId{41}, Request{SessionId{}, Sync{}}});
  ring.sent.clear();
  ring.driver(at).submit(ring.now, std::move(asked));
  ring.settle();
  const auto& answers = ring.member(at).ports->answers;
  REQUIRE(answers.size() == 41);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    CHECK(answers[i].id == RequestId{i + 1});
    CHECK(answers[i].reply.error == ZkError::kOk);
  }
  std::size_t frames = 0;
  for (const Message& message : ring.sent[MemberId{at}]) {
    if (const auto* many = std::get_if<ForwardedRequests>(&message)) {
      ++frames;
      CHECK(many->requests.size() <= 8);
    }
  }
  CHECK(frames == 6);
}

TEST_CASE("AMassExpiryGoesOutInFewFramesAndAppends") {
  SessionRing ring({1, 2, 3});
  const std::uint64_t leader = ring.leader();
  constexpr std::size_t kSessions = 640;
  for (std::size_t i = 0; i < kSessions; ++i) {
    ring.open(leader, milliseconds(1000));
  }
  REQUIRE(ring.driver(leader).registry().session_count() == kSessions);
  ring.member(leader).ports->sends = 0;
  ring.member(leader).disk.batches = 0;
  ring.pass(milliseconds(1500));
  CHECK(ring.driver(leader).registry().session_count() == 0);
  CHECK(ring.member(leader).ports->sends < kSessions / 4);  // heartbeats included
  CHECK(ring.member(leader).disk.batches < kSessions / 20);
}

TEST_CASE("ARingOfThisVersionAndTheNextWorksAndIsUpdatedMemberByMember") {
  SessionRing ring({1, 2, 3});
  const Reply opened = ring.open(1, milliseconds(60'000));
  for (const std::uint64_t id : {1, 2, 3}) {
    ring.next_version.insert(MemberId{id});
    ring.kill(id);
    ring.pass(milliseconds(1500));
    ring.start(id);
    ring.pass(milliseconds(1500));
    for (const std::uint64_t at : {1, 2, 3}) {
      CHECK(ring.create(at, "/" + std::to_string(id) + "-" + std::to_string(at))->error ==
            ZkError::kOk);
      CHECK(ring.resume(at, opened.session, opened.secret).error == ZkError::kOk);
    }
  }
  CHECK(ring.errors.empty());
  // On links whose ends both speak it, and on no other: this version does not read the next one's.
  const Bytes next = encode_peer_frame({1, 1, {0, ObserverInfo{}}}, kPeerProtocolNext);
  CHECK(decode_peer_frame(next, kPeerProtocolNext));
  CHECK_FALSE(decode_peer_frame(next));
  ring.next_version.clear();
  ring.kill(2);
  ring.start(2);
  const Handshake newer = ring.driver(1).handshake();
  CHECK(ring.driver(2).agreed_version(newer) == kPeerProtocolVersion);
  CHECK(ring.driver(3).agreed_version(newer) == kPeerProtocolNext);
  Handshake too_new = newer;
  too_new.oldest_version = kPeerProtocolNext;
  CHECK_FALSE(ring.driver(2).accept_peer(too_new));
  CHECK(ring.driver(3).accept_peer(too_new));
}
