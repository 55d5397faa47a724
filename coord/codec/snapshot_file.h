// A snapshot as a file: a header that names its ring's birth and zxid and checks the whole. Layout
// in FORMATS.md. Called by coord/storage alone. Pure values.
#pragma once

#include <cstdint>

#include "config/base/bytes.h"
#include "config/base/error.h"
#include "coord/zab/types.h"

namespace ringside::coord {

inline constexpr std::uint16_t kSnapshotFileVersion = 1;
inline constexpr std::size_t kSnapshotHeaderBytes = 36;

struct SnapshotFile {
  BirthId birth;
  Zxid zxid;
  ByteView state;  // lives as long as the file's bytes
};

// The header that goes before `state`; both are written, neither copied.
Bytes encode_snapshot_header(BirthId birth, Zxid zxid, ByteView state);
// kCorrupt, or kUnsupported for a format version from the future (the header's place of version is
// fixed).
Result<SnapshotFile> decode_snapshot_file(ByteView file);

}  // namespace ringside::coord
