#include "coord/codec/peer_message.h"

#include <fmt/format.h>

#include <utility>

#include "config/base/check.h"
#include "coord/registry/secret.h"

namespace ringside::coord {

namespace {

constexpr std::uint8_t kNextVersionsByte = 0x4e;

// --- encoding

void put(ByteWriter& out, const Notification& m) {
  out.u8(static_cast<std::uint8_t>(m.role));
  out.boolean(m.ready);
  out.u32(m.own.epoch.value);
  out.u64(m.own.zxid.packed);
  out.boolean(m.own.willing);
  out.u64(m.vote.value);
  out.u32(m.reign.value);
  out.boolean(m.established);
  out.boolean(m.in_doubt);
  out.boolean(m.wants_answer);
  out.boolean(m.aside);
}
void put(ByteWriter& out, const FollowerInfo& m) {
  out.u64(m.birth.value);
  out.u32(m.accepted.value);
  out.u32(m.current.value);
  out.u64(m.last.packed);
  out.boolean(m.in_doubt);
}
void put(ByteWriter& out, const LeaderInfo& m) {
  out.u64(m.birth.value);
  out.u32(m.epoch.value);
}
void put(ByteWriter& out, const AckEpoch& m) {
  out.u32(m.epoch.value);
  out.u32(m.current.value);
  out.u64(m.last.packed);
  out.boolean(m.counts);
  out.u32(static_cast<std::uint32_t>(m.ends.size()));
  for (const Zxid end : m.ends) {
    out.u64(end.packed);
  }
}
void put(ByteWriter& out, const SyncStart& m) {
  out.u8(static_cast<std::uint8_t>(m.mode));
  out.u64(m.keep_until.packed);
}
void put(ByteWriter& out, const SnapshotChunk& m) {
  out.u64(m.zxid.packed);
  out.u64(m.offset);
  out.boolean(m.last);
  out.blob(m.bytes);
}
void put(ByteWriter& out, const std::vector<Entry>& entries) {
  out.u32(static_cast<std::uint32_t>(entries.size()));
  for (const Entry& entry : entries) {
    out.u64(entry.zxid.packed);
    out.blob(*entry.txn);
  }
}
void put(ByteWriter& out, const SyncEntries& m) {
  put(out, m.entries);
}
void put(ByteWriter& out, const NewLeader& m) {
  out.u32(m.epoch.value);
  out.u64(m.last.packed);
  out.u64(m.commit.packed);
}
void put(ByteWriter& out, const AckNewLeader& m) {
  out.u64(m.last.packed);
}
void put(ByteWriter& out, const UpToDate& m) {
  out.u64(m.commit.packed);
}
void put(ByteWriter& out, const Proposal& m) {
  out.u64(m.commit.packed);
  put(out, m.entries);
}
void put(ByteWriter& out, const Ack& m) {
  out.u64(m.zxid.packed);
}
void put(ByteWriter& out, const Commit& m) {
  out.u64(m.zxid.packed);
}
void put(ByteWriter& out, const Heartbeat& m) {
  out.u64(m.round);
  out.u32(m.epoch.value);
  out.u64(m.commit.packed);
  out.boolean(m.quorum);
  out.u64(m.applied.packed);
  out.u64(m.digest);
  out.u64(m.scope_digest);
}
void put(ByteWriter& out, const HeartbeatReply& m) {
  out.u64(m.round);
  out.u64(m.applied.packed);
  out.u32(static_cast<std::uint32_t>(m.touches.size()));
  for (const SessionId session : m.touches) {
    out.u64(session.value);
  }
  out.u64(m.routed.packed);
}
void put(ByteWriter& out, const ForwardedRequest& m) {
  out.u64(m.id.value);
  out.blob(m.request);
}
void put(ByteWriter& out, const ForwardedRequests& m) {
  out.u32(static_cast<std::uint32_t>(m.requests.size()));
  for (const ForwardedRequest& request : m.requests) {
    put(out, request);
  }
}
void put(ByteWriter& out, const RequestAnswer& m) {
  out.u64(m.id.value);
  out.u64(m.zxid.packed);
  out.i32(static_cast<std::int32_t>(m.reply.error));
  out.u64(m.reply.session.value);
  out.i64(m.reply.session_timeout.count());
  out.blob(m.reply.secret);
  out.u64(m.reply.routed.packed);
  out.u32(static_cast<std::uint32_t>(m.reply.behind.size()));
  for (const SidecarBehind& sidecar : m.reply.behind) {
    out.u64(sidecar.session.value);
    out.u64(sidecar.member.value);
    out.u64(sidecar.routed.packed);
  }
}
void put(ByteWriter& out, const RequestRefused& m) {
  out.u64(m.id.value);
}
void put(ByteWriter&, const ObserverInfo&) {}
void put(ByteWriter& out, const ObserverStart& m) {
  out.u64(m.birth.value);
  out.u32(m.epoch.value);
  out.u64(m.zxid.packed);
}
void put(ByteWriter& out, const Inform& m) {
  out.u64(m.previous.packed);
  out.u64(m.zxid.packed);
  out.blob(m.txn);
}
void put(ByteWriter& out, const SnapshotAck& m) {
  out.u64(m.zxid.packed);
  out.u64(m.offset);
}
void put(ByteWriter&, const SnapshotData&) {
  CHECK(false);
}

// --- decoding: each reads a whole record; the caller tests done() once

Zxid zxid(ByteReader& in) {
  const Zxid value{in.u64()};
  if (value.epoch().value > kMaxEpoch) {  // D18
    in.fail();
  }
  return value;
}
Epoch epoch(ByteReader& in) {
  const Epoch value{in.u32()};
  if (value.value > kMaxEpoch) {
    in.fail();
  }
  return value;
}
template <typename Enum>
Enum enumerator(ByteReader& in, Enum last) {
  const std::uint8_t value = in.u8();
  if (value > static_cast<std::uint8_t>(last)) {
    in.fail();
    return Enum{};
  }
  return static_cast<Enum>(value);
}
Bytes bytes(ByteReader& in, std::size_t most) {
  const ByteView view = in.blob(most);
  return {view.begin(), view.end()};
}

void get(ByteReader& in, Notification& m) {
  m.role = enumerator(in, Role::kObserving);
  m.ready = in.boolean();
  m.own.epoch = epoch(in);
  m.own.zxid = zxid(in);
  m.own.willing = in.boolean();
  m.vote = MemberId{in.u64()};
  m.reign = epoch(in);
  m.established = in.boolean();
  m.in_doubt = in.boolean();
  m.wants_answer = in.boolean();
  m.aside = in.boolean();
}
void get(ByteReader& in, FollowerInfo& m) {
  m.birth = BirthId{in.u64()};
  m.accepted = epoch(in);
  m.current = epoch(in);
  m.last = zxid(in);
  m.in_doubt = in.boolean();
}
void get(ByteReader& in, LeaderInfo& m) {
  m.birth = BirthId{in.u64()};
  m.epoch = epoch(in);
}
void get(ByteReader& in, AckEpoch& m) {
  m.epoch = epoch(in);
  m.current = epoch(in);
  m.last = zxid(in);
  m.counts = in.boolean();
  const std::uint32_t count = in.count(sizeof(std::uint64_t));
  if (count > kMaxEpochEnds) {
    in.fail();
    return;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    m.ends.push_back(zxid(in));
  }
}
void get(ByteReader& in, SyncStart& m) {
  m.mode = enumerator(in, SyncMode::kSnap);
  m.keep_until = zxid(in);
}
void get(ByteReader& in, SnapshotChunk& m) {
  m.zxid = zxid(in);
  m.offset = in.u64();
  m.last = in.boolean();
  m.bytes = bytes(in, kMaxChunkBytes);
  if (m.offset > kMaxSnapshotBytes || (m.bytes.empty() && !m.last)) {
    in.fail();
  }
}
void get(ByteReader& in, std::vector<Entry>& entries) {
  const std::uint32_t count = in.count(sizeof(std::uint64_t) + sizeof(std::uint32_t));
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const Zxid at = zxid(in);
    entries.push_back({at, std::make_shared<const Bytes>(bytes(in, kMaxTxnBytes))});
  }
}
void get(ByteReader& in, SyncEntries& m) {
  get(in, m.entries);
}
void get(ByteReader& in, NewLeader& m) {
  m.epoch = epoch(in);
  m.last = zxid(in);
  m.commit = zxid(in);
}
void get(ByteReader& in, AckNewLeader& m) {
  m.last = zxid(in);
}
void get(ByteReader& in, UpToDate& m) {
  m.commit = zxid(in);
}
void get(ByteReader& in, Proposal& m) {
  m.commit = zxid(in);
  get(in, m.entries);
}
void get(ByteReader& in, Ack& m) {
  m.zxid = zxid(in);
}
void get(ByteReader& in, Commit& m) {
  m.zxid = zxid(in);
}
void get(ByteReader& in, Heartbeat& m) {
  m.round = in.u64();
  m.epoch = epoch(in);
  m.commit = zxid(in);
  m.quorum = in.boolean();
  m.applied = zxid(in);
  m.digest = in.u64();
  m.scope_digest = in.u64();
}
void get(ByteReader& in, HeartbeatReply& m) {
  m.round = in.u64();
  m.applied = zxid(in);
  const std::uint32_t count = in.count(sizeof(std::uint64_t));
  if (count > kMaxTouches) {
    in.fail();
    return;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    m.touches.push_back(SessionId{in.u64()});
  }
  m.routed = zxid(in);
}
void get(ByteReader& in, ForwardedRequest& m) {
  m.id = RequestId{in.u64()};
  m.request = bytes(in, kMaxTxnBytes);
}
void get(ByteReader& in, ForwardedRequests& m) {
  const std::uint32_t count = in.count(sizeof(std::uint64_t) + sizeof(std::uint32_t));
  if (count > kMaxForwarded) {
    in.fail();
    return;
  }
  m.requests.resize(count);
  for (ForwardedRequest& request : m.requests) {
    get(in, request);
  }
}
void get(ByteReader& in, RequestAnswer& m) {
  m.id = RequestId{in.u64()};
  m.zxid = zxid(in);
  m.reply.error = static_cast<ZkError>(in.i32());
  m.reply.session = SessionId{in.u64()};
  m.reply.session_timeout = milliseconds{in.i64()};
  m.reply.secret = bytes(in, kSecretBytes);
  m.reply.routed = zxid(in);
  const std::uint32_t count = in.count(3 * sizeof(std::uint64_t));
  if (!known(m.reply.error) || count > kMaxBehind) {
    in.fail();
    return;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    m.reply.behind.push_back({SessionId{in.u64()}, MemberId{in.u64()}, zxid(in)});
  }
}
void get(ByteReader& in, RequestRefused& m) {
  m.id = RequestId{in.u64()};
}
void get(ByteReader&, ObserverInfo&) {}
void get(ByteReader& in, ObserverStart& m) {
  m.birth = BirthId{in.u64()};
  m.epoch = epoch(in);
  m.zxid = zxid(in);
}
void get(ByteReader& in, Inform& m) {
  m.previous = zxid(in);
  m.zxid = zxid(in);
  m.txn = bytes(in, kMaxTxnBytes);
}
void get(ByteReader& in, SnapshotAck& m) {
  m.zxid = zxid(in);
  m.offset = in.u64();
}
void get(ByteReader& in, SnapshotData&) {
  in.fail();
}

// Decodes the alternative with that index.
template <std::size_t... Index>
bool get_by_index(ByteReader& in, std::size_t kind, Message& message,
                  std::index_sequence<Index...>) {
  return ((kind == Index && (get(in, message.emplace<Index>()), true)) || ...);
}

}  // namespace

Bytes encode_peer_frame(const PeerFrame& frame, std::uint16_t version) {
  ByteWriter out;
  out.u8(static_cast<std::uint8_t>(frame.envelope.message.index() + 1));
  out.u32(frame.link);
  out.u64(frame.sequence);
  out.u64(frame.envelope.run);
  std::visit([&out](const auto& body) { put(out, body); }, frame.envelope.message);
  if (version >= kPeerProtocolNext) {
    out.u8(kNextVersionsByte);
  }
  return out.take();
}

Result<PeerFrame> decode_peer_frame(ByteView payload, std::uint16_t version) {
  ByteReader in(payload);
  PeerFrame frame;
  const std::size_t kind = in.u8();
  frame.link = in.u32();
  frame.sequence = in.u64();
  frame.envelope.run = in.u64();
  const bool known =
      kind > 0 && get_by_index(in, kind - 1, frame.envelope.message,
                               std::make_index_sequence<std::variant_size_v<Message>>{});
  if (!known) {
    return fail(ErrorCode::kInvalid, fmt::format("a peer message of unknown kind {}", kind));
  }
  if (version >= kPeerProtocolNext && in.u8() != kNextVersionsByte) {
    in.fail();
  }
  if (!in.done()) {
    return fail(ErrorCode::kInvalid,
                fmt::format("a {} message that cannot be read", name_of(frame.envelope.message)));
  }
  return frame;
}

}  // namespace ringside::coord
