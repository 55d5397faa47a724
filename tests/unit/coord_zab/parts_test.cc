// Small parts around the step machine: frames, links, snapshots in chunks, digests, sessions.
#include <doctest/doctest.h>

#include "coord/codec/handshake.h"
#include "coord/codec/peer_message.h"
#include "coord/driver/digest_watch.h"
#include "coord/driver/link.h"
#include "coord/driver/requests.h"
#include "coord/session_tracker.h"

using namespace ringside;
using namespace ringside::coord;

namespace {

Reply full_reply(Zxid zxid) {
  Reply reply;
  reply.error = ZkError::kSessionMoved;
  reply.session = SessionId{3};
  reply.session_timeout = milliseconds(4);
  reply.secret = Bytes(kSecretBytes, 5);
  reply.routed = zxid;
  reply.behind = {{SessionId{6}, MemberId{7}, zxid}};
  return reply;
}

std::vector<Message> one_of_each() {
  const Zxid zxid{Epoch{3}, 9};
  const auto txn = std::make_shared<const Bytes>(Bytes{1, 2, 3});
  Notification notification;
  notification.role = Role::kLeading;
  notification.own = {Epoch{2}, zxid, false, MemberId{}};
  return {notification,
          FollowerInfo{BirthId{7}, Epoch{4}, Epoch{3}, zxid, true},
          LeaderInfo{BirthId{7}, Epoch{5}},
          AckEpoch{Epoch{5}, Epoch{3}, zxid, true, {zxid, Zxid{}}},
          SyncStart{SyncMode::kSnap, zxid},
          SnapshotChunk{zxid, 10, true, Bytes{1, 2}},
          SyncEntries{{{zxid, txn}, {zxid.next(), txn}}},
          NewLeader{Epoch{5}, zxid, zxid},
          AckNewLeader{zxid},
          UpToDate{zxid},
          Proposal{zxid, {{zxid, txn}}},
          Ack{zxid},
          Commit{zxid},
          Heartbeat{1, Epoch{5}, zxid, true, zxid, 2, 3},
          HeartbeatReply{1, zxid, {SessionId{5}}, zxid},
          ForwardedRequest{RequestId{1}, Bytes{4}},
          RequestAnswer{RequestId{1}, zxid, full_reply(zxid)},
          RequestRefused{RequestId{1}},
          ObserverInfo{},
          ObserverStart{BirthId{7}, Epoch{5}, zxid},
          Inform{zxid, zxid.next(), Bytes{9}},
          SnapshotAck{zxid, 12},
          ForwardedRequests{{{RequestId{1}, Bytes{4}}, {RequestId{2}, Bytes{5, 6}}}}};
}

}  // namespace

TEST_CASE("EveryMessageSurvivesTheWireAndNoCutOfItDoes") {
  const auto messages = one_of_each();
  REQUIRE(messages.size() + 1 == std::variant_size_v<Message>);  // all but SnapshotData
  for (const Message& message : messages) {
    CAPTURE(name_of(message));
    const Bytes bytes = encode_peer_frame({11, 12, {13, message}});
    const auto read = decode_peer_frame(bytes);
    REQUIRE(read);
    CHECK(read->link == 11);
    CHECK(read->sequence == 12);
    CHECK(read->envelope.run == 13);
    CHECK(read->envelope.message.index() == message.index());
    CHECK(encode_peer_frame(*read) == bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CHECK_FALSE(decode_peer_frame(ByteView(bytes).first(size)));
    }
    Bytes longer = bytes;
    longer.push_back(0);
    CHECK_FALSE(decode_peer_frame(longer));
  }
}

TEST_CASE("MessagesWithNumbersOutOfBoundsAreRefused") {
  // D18: no epoch above the bound gets in.
  CHECK_FALSE(decode_peer_frame(
      encode_peer_frame({1, 1, {1, LeaderInfo{BirthId{1}, Epoch{kMaxEpoch + 1}}}})));
  ForwardedRequests many;
  many.requests.resize(kMaxForwarded);
  CHECK(decode_peer_frame(encode_peer_frame({1, 1, {1, many}})));
  many.requests.emplace_back();
  CHECK_FALSE(decode_peer_frame(encode_peer_frame({1, 1, {1, many}})));
  CHECK_FALSE(
      decode_peer_frame(encode_peer_frame({1, 1, {1, Ack{Zxid{std::uint64_t{1} << 63U}}}})));
  CHECK_FALSE(
      decode_peer_frame(encode_peer_frame({1, 1, {1, SnapshotChunk{Zxid{}, 3, false, Bytes{}}}})));
}

TEST_CASE("FramesAreFoundWhereverTheStreamIsCut") {
  const auto first = make_frame(Bytes{1, 2, 3});
  const auto second = make_frame(Bytes{4});
  Bytes stream = *first;
  stream.insert(stream.end(), second->begin(), second->end());
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    FrameReader reader;
    std::vector<Bytes> got;
    for (const ByteView part : {ByteView(stream).first(cut), ByteView(stream).subspan(cut)}) {
      reader.feed(part);
      for (auto payload = reader.next(); payload && !payload->empty(); payload = reader.next()) {
        got.emplace_back(payload->begin(), payload->end());
      }
    }
    CHECK(got == std::vector<Bytes>{{1, 2, 3}, {4}});
    CHECK(reader.buffered() == 0);
  }
}

TEST_CASE("DamagedEmptyAndOversizedFramesAreErrors") {
  Bytes damaged = *make_frame(Bytes{1, 2, 3});
  damaged.back() ^= 1U;
  FrameReader reader;
  reader.feed(damaged);
  CHECK_FALSE(reader.next());
  Bytes longer = *make_frame(Bytes{1, 2, 3});
  longer[2] ^= 1U;  // 256 bytes more: refused at once, not waited for
  FrameReader hopeful;
  hopeful.feed(longer);
  CHECK_FALSE(hopeful.next());
  FrameReader small(2);
  small.feed(*make_frame(Bytes{1, 2, 3}));
  CHECK_FALSE(small.next());
  FrameReader empty;
  empty.feed(Bytes(8, 0));
  CHECK_FALSE(empty.next());
}

TEST_CASE("HandshakeSurvivesTheWire") {
  const Handshake ours{1, 1, "default", BirthId{5}, MemberId{2}, true, "10.0.0.5:4150"};
  const Bytes bytes = encode_handshake(ours);
  const auto read = decode_handshake(bytes);
  REQUIRE(read);
  CHECK(read->ring_name == "default");
  CHECK(read->birth == BirthId{5});
  CHECK(read->id == MemberId{2});
  CHECK(read->voter);
  CHECK(read->address == "10.0.0.5:4150");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(decode_handshake(ByteView(bytes).first(size)));
  }
  Bytes other = bytes;
  other[0] ^= 1U;
  CHECK_FALSE(decode_handshake(other));
}

TEST_CASE("D10LinkTakesEachFrameOnceAndSeesGaps") {
  Link sender(77, kPeerProtocolVersion);
  Link receiver(78, kPeerProtocolVersion);
  const PeerFrame first = sender.number_frame({0, Ack{}});
  const PeerFrame second = sender.number_frame({0, Ack{}});
  const PeerFrame third = sender.number_frame({0, Ack{}});
  CHECK(*receiver.accept(first));
  CHECK_FALSE(*receiver.accept(first));
  CHECK_FALSE(receiver.accept(third));
  CHECK(*receiver.accept(second));
  Link another(79, kPeerProtocolVersion);
  CHECK_FALSE(*receiver.accept(another.number_frame({0, Ack{}})));
}

TEST_CASE("ALinkWhoseFirstFrameIsLostIsEnded") {
  Link sender(7, kPeerProtocolVersion);
  Link receiver(9, kPeerProtocolVersion);
  static_cast<void>(sender.number_frame({0, Ack{}}));
  CHECK_FALSE(receiver.accept(sender.number_frame({0, Ack{}})));
}

TEST_CASE("D13DigestsAreComparedAtTheSameZxidWhoeverIsAhead") {
  const Zxid one{Epoch{1}, 1};
  DigestWatch watch;
  watch.reset({Zxid{}, 0});
  CHECK_FALSE(watch.heard({one.next(), 6}));  // not there yet
  CHECK_FALSE(watch.applied({one, 5}));
  CHECK(watch.applied({one.next(), 7}));  // it comes out when this member gets there
  CHECK_FALSE(watch.heard({one, 5}));
  CHECK(watch.heard({one, 4}));
  watch.reset({one.next(), 9});
  CHECK_FALSE(watch.heard({one, 4}));  // before the snapshot: nothing to compare
}

TEST_CASE("SessionClockStandsStillWithoutAQuorumAndInAPause") {
  const Instant start{seconds(10)};
  const Duration turn = milliseconds(300);
  SessionTracker tracker;
  tracker.begin(start, {{SessionId{1}, milliseconds(500)}});
  tracker.advance(start + seconds(60), false, turn);
  CHECK(tracker.take_expired(10).empty());
  tracker.advance(start + seconds(120), true, turn);  // a pause counts as one turn
  CHECK(tracker.take_expired(10).empty());
  tracker.advance(start + seconds(120) + milliseconds(100), true, turn);
  tracker.use(SessionId{1}, MemberId{1});
  tracker.advance(start + seconds(120) + milliseconds(400), true, turn);
  CHECK(tracker.take_expired(10).empty());
  CHECK(tracker.next_deadline() == start + seconds(120) + milliseconds(600));
  tracker.advance(start + seconds(120) + milliseconds(600), true, turn);
  CHECK(tracker.take_expired(10) == std::vector<SessionId>{SessionId{1}});
  tracker.use(SessionId{1}, MemberId{1});  // too late
  CHECK(tracker.take_expired(10).empty());
}

TEST_CASE("OneQuorumRoundServesAllSyncsThatCameBeforeIt") {
  SyncRounds rounds;
  CHECK(rounds.add({MemberId{1}, 0, RequestId{1}, Zxid{}}));
  CHECK_FALSE(rounds.add({MemberId{1}, 0, RequestId{2}, Zxid{}}));
  CHECK_FALSE(rounds.add({MemberId{1}, 0, RequestId{3}, Zxid{}}));
  CHECK(rounds.confirmed().size() == 1);  // the others came after it began
  CHECK(rounds.begin_next());
  CHECK(rounds.confirmed().size() == 2);
  CHECK_FALSE(rounds.begin_next());
}

TEST_CASE("TransactionOfAnEarlierRunAnswersNoRequestOfThisOne") {
  Rng first_rng(1);
  Rng second_rng(2);
  Requests first(first_rng);
  Requests second(second_rng);
  const RequestId old = first.add(RequestId{1});
  second.add(RequestId{1});
  CHECK_FALSE(second.take(old));
  CHECK(first.take(old) == RequestId{1});
  CHECK_FALSE(first.take(old));  // once
}
