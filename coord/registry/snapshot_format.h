// The bytes of a registry snapshot; for SnapshotCursor and SnapshotLoader alone. The check of what
// a record says is the loader's.
//
//   u32 magic, u16 format, u8 scoped, u64 applied zxid
//   records in any order, each a u8 kind and then
//     node        u32 slot, u32 slot of its parent, u64 czxid, mzxid, pzxid, i64 ctime_ms,
//                 i64 mtime_ms, i32 version, creates, u16 name length, u32 data length, name, data
//     ephemeral   u64 owner, u64 order, then as a node
//     session     as session_record.h says
//   the end, also a u8 kind and then
//                 u32 nodes, u32 sessions, u64, u64 the ring's secret (0, 0: none), u64 digest,
//                 u64 scope digest, u32 CRC-32C of everything before it
//
// The root has slot 0, and itself as parent. The scope alone has no root and no sessions. `order`
// rises with the births of ephemerals. So equal states give equal digests, while their bytes may
// differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "config/base/bytes.h"
#include "coord/registry/node.h"
#include "coord/registry/secret.h"
#include "coord/registry/session_record.h"

namespace ringside::coord {

inline constexpr std::uint32_t kSnapshotMagic = 0x52534e50;  // RSNP
inline constexpr std::uint16_t kSnapshotFormat = 2;

enum class RecordKind : std::uint8_t { kNode = 1, kEphemeral = 2, kSession = 3, kEnd = 4 };

struct SnapshotHeader {
  std::uint32_t magic = kSnapshotMagic;
  std::uint16_t format = kSnapshotFormat;
  bool scoped = false;
  Zxid applied;
};

struct NodeRecord {
  SessionId owner;          // 0: not ephemeral
  std::uint64_t order = 0;  // of an ephemeral
  Slot slot;
  Slot parent;
  NodeFacts facts;
  std::string_view name;  // these two live as long as the bytes read
  std::string_view data;
};

struct SnapshotEnd {
  std::uint32_t nodes = 0;
  std::uint32_t sessions = 0;
  RingSecret secret;
  std::uint64_t digest = 0;
  std::uint64_t scope_digest = 0;
  std::uint32_t check = 0;
};

inline constexpr std::size_t kSnapshotHeaderBytes = 15;
inline constexpr std::size_t kEndCheckBytes = 4;  // at the end of a SnapshotEnd

void put_record(ByteWriter& out, const SnapshotHeader& header);
void put_record(ByteWriter& out, const Node& node);
void put_record(ByteWriter& out, const std::pair<const SessionId, SessionRecord>& session);
void put_record(ByteWriter& out, const SnapshotEnd& end);  // without its check

// How long the record is that `bytes` (at least 1) begins with, as far as they tell: more than they
// are, and the true length may still be more. What begins no record counts one byte.
std::size_t record_bytes(ByteView bytes);

// Of whole records, their kind included; a reader that is not done() after it has met another size
// or a bad number.
SnapshotHeader read_header(ByteReader& in);
NodeRecord read_node(ByteReader& in);
std::optional<std::pair<SessionId, SessionRecord>> read_session(ByteReader& in);
SnapshotEnd read_end(ByteReader& in);

}  // namespace ringside::coord
