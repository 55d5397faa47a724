// A snapshot as a file: a header that names its ring's birth and zxid, the state, and a trailer
// with the state's length and a check of the whole. Layout in FORMATS.md. Called by coord/storage
// and coord/rebirth. Pure values.
//
// The length and the check come last, so that a state of unknown length is written from front to
// end and no synced byte is written again.
#pragma once

#include <cstdint>

#include "config/base/bytes.h"
#include "config/base/error.h"
#include "coord/zab/types.h"

namespace ringside::coord {

inline constexpr std::uint16_t kSnapshotFileVersion = 2;
inline constexpr std::size_t kSnapshotHeaderBytes = 28;
inline constexpr std::size_t kSnapshotTrailerBytes = 16;

struct SnapshotFile {
  BirthId birth;  // 0: begun before the member knew its ring's
  Zxid zxid;
  ByteView state;  // lives as long as the file's bytes
};

// The check of the whole continues over what is written: crc32c of the header, then of the state.
Bytes encode_snapshot_header(BirthId birth, Zxid zxid);
Bytes encode_snapshot_trailer(std::uint64_t state_bytes, std::uint32_t check);
// Versions 1 and 2. kCorrupt, or kUnsupported for a format version from the future.
Result<SnapshotFile> decode_snapshot_file(ByteView file);

}  // namespace ringside::coord
