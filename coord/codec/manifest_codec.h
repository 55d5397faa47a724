// The manifest: what belongs to a member's history, as one checked record. Layout in FORMATS.md.
//
// Called by coord/storage alone. Pure values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/error.h"
#include "coord/zab/types.h"

namespace ringside::coord {

inline constexpr std::uint16_t kManifestVersion = 1;

struct ManifestSegment {
  std::uint64_t number = 0;
  Zxid previous;           // what its first entry follows
  std::uint32_t seed = 0;  // as in its header
  // Durable when this manifest was written. More may follow in an open segment only; in a closed
  // one bytes behind `end` and entries after `last` (the rest of a record that was cut) do not
  // count.
  std::uint64_t end = 0;
  Zxid last;
  bool open = false;  // the last one at most
};

struct ManifestSnapshot {
  Zxid zxid;
  std::uint64_t number = 0;
};

struct Manifest {
  std::string ring_name;
  MemberId member;
  BirthId birth;
  Epoch accepted_epoch;
  Epoch current_epoch;
  Zxid commit_point;
  std::uint64_t next_file = 1;  // greater than every number in use
  std::string doubt;            // D16: why the member must not vote by itself; empty: it may
  std::optional<ManifestSnapshot> snapshot;
  std::vector<ManifestSegment> segments;  // oldest first, each following the one before
};

Bytes encode_manifest(const Manifest& manifest);
// kCorrupt, or kUnsupported for a format version from the future (its check must hold).
Result<Manifest> decode_manifest(ByteView file);

}  // namespace ringside::coord
