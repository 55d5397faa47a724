// The bytes of a registry snapshot; for snapshot_save.cc and snapshot_load.cc alone.
//
//   u32 magic, u16 format, u8 scoped, u64 applied zxid
//   the tree from the root, each node before its children, children sorted by name:
//     u16 name length and name, u32 data length and data, u64 czxid, mzxid, pzxid, i64 ctime_ms,
//     mtime_ms, i32 version, creates, u32 children
//   u32 owners, by id: u64 session, u32 count and the u32 numbers of its nodes in creation order
//   u32 sessions, by id: each as session_record.h says
//   u64, u64 the ring's secret (0, 0: none)
//
// A node is numbered by its place in the tree. So an orphan or a node that is there twice cannot be
// written down, and equal states give equal bytes. The check of the whole is the storage's.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringside::coord {

inline constexpr std::uint32_t kSnapshotMagic = 0x52534e50;  // RSNP
inline constexpr std::uint16_t kSnapshotFormat = 1;

}  // namespace ringside::coord
