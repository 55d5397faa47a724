#include "coord/registry/snapshot_format.h"

#include "coord/registry/request.h"

namespace ringside::coord {
namespace {

constexpr std::size_t kKindBytes = 1;
constexpr std::size_t kOwnerBytes = 16;
constexpr std::size_t kLengthsBytes = 6;  // of name and data, which follow
constexpr std::size_t kNodeBytes = 4 + 4 + 3 * 8 + 2 * 8 + 2 * 4 + kLengthsBytes;
constexpr std::size_t kEndBytes = 4 + 4 + 2 * 8 + 8 + 8 + kEndCheckBytes;

void put_kind(ByteWriter& out, RecordKind kind) {
  out.u8(static_cast<std::uint8_t>(kind));
}

}  // namespace

void put_record(ByteWriter& out, const SnapshotHeader& header) {
  out.u32(header.magic);
  out.u16(header.format);
  out.boolean(header.scoped);
  out.u64(header.applied.packed);
}

void put_record(ByteWriter& out, const Node& node) {
  if (node.ephemeral) {
    put_kind(out, RecordKind::kEphemeral);
    out.u64(node.ephemeral->owner.value);
    out.u64(node.ephemeral->order);
  } else {
    put_kind(out, RecordKind::kNode);
  }
  out.u32(node.slot.value);
  out.u32(node.parent.value);
  out.u64(node.czxid.packed);
  out.u64(node.mzxid.packed);
  out.u64(node.pzxid.packed);
  out.i64(node.ctime.time_since_epoch().count());
  out.i64(node.mtime.time_since_epoch().count());
  out.i32(node.version);
  out.i32(node.creates);
  out.u16(node.name_bytes);
  out.u32(node.data_bytes);
  out.raw(as_bytes(node.name()));
  out.raw(as_bytes(node.data()));
}

void put_record(ByteWriter& out, const std::pair<const SessionId, SessionRecord>& session) {
  put_kind(out, RecordKind::kSession);
  put_session(out, session.first, session.second);
}

void put_record(ByteWriter& out, const SnapshotEnd& end) {
  put_kind(out, RecordKind::kEnd);
  out.u32(end.nodes);
  out.u32(end.sessions);
  out.u64(end.secret.k0);
  out.u64(end.secret.k1);
  out.u64(end.digest);
  out.u64(end.scope_digest);
}

std::size_t record_bytes(ByteView bytes) {
  std::size_t size = kKindBytes;
  switch (RecordKind{bytes.front()}) {
    case RecordKind::kEphemeral: size += kOwnerBytes; [[fallthrough]];
    case RecordKind::kNode: {
      size += kNodeBytes;
      if (bytes.size() < size) {
        return size;
      }
      ByteReader lengths(bytes.subspan(size - kLengthsBytes, kLengthsBytes));
      const std::size_t name = lengths.u16();
      const std::size_t data = lengths.u32();
      return name <= kMaxPathBytes && data <= kMaxDataBytes ? size + name + data : kKindBytes;
    }
    case RecordKind::kSession: return size + kSessionRecordBytes;
    case RecordKind::kEnd: return size + kEndBytes;
  }
  return kKindBytes;
}

SnapshotHeader read_header(ByteReader& in) {
  SnapshotHeader header;
  header.magic = in.u32();
  header.format = in.u16();
  header.scoped = in.boolean();
  header.applied = Zxid{in.u64()};
  return header;
}

NodeRecord read_node(ByteReader& in) {
  NodeRecord record;
  if (RecordKind{in.u8()} == RecordKind::kEphemeral) {
    record.owner = SessionId{in.u64()};
    record.order = in.u64();
    if (!record.owner) {
      in.fail();
    }
  }
  record.slot = Slot{in.u32()};
  record.parent = Slot{in.u32()};
  record.facts.czxid = Zxid{in.u64()};
  record.facts.mzxid = Zxid{in.u64()};
  record.facts.pzxid = Zxid{in.u64()};
  record.facts.ctime = WallTime{milliseconds{in.i64()}};
  record.facts.mtime = WallTime{milliseconds{in.i64()}};
  record.facts.version = in.i32();
  record.facts.creates = in.i32();
  const std::size_t name_bytes = in.u16();
  const std::size_t data_bytes = in.u32();
  record.name = as_text(in.raw(name_bytes));
  record.data = as_text(in.raw(data_bytes));
  return record;
}

std::optional<std::pair<SessionId, SessionRecord>> read_session(ByteReader& in) {
  in.u8();
  return get_session(in);
}

SnapshotEnd read_end(ByteReader& in) {
  in.u8();
  SnapshotEnd end;
  end.nodes = in.u32();
  end.sessions = in.u32();
  end.secret.k0 = in.u64();
  end.secret.k1 = in.u64();
  end.digest = in.u64();
  end.scope_digest = in.u64();
  end.check = in.u32();
  return end;
}

}  // namespace ringside::coord
