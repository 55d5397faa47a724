// Log segments: a header, then records, each a run of transactions of one epoch. Layout and a
// worked example in FORMATS.md.
//
// Called by coord/storage alone. Pure values; bytes come from a disk, so every length is bounded
// and nothing here reaches a CHECK when reading.
//
// Invariants: each record's check continues the one before it (and the first the segment header's,
// which holds the last check of the segment before), so that a record is good only in its own
// place; zxids within a record are consecutive, so that the first one and a count name them all.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/error.h"
#include "coord/zab/types.h"

namespace ringside::coord {

inline constexpr std::uint16_t kLogFormatVersion = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 40;
inline constexpr std::size_t kRecordHeaderBytes = 52;
// What a reader accepts; a writer begins a new record once one is longer than kRecordTargetBytes.
inline constexpr std::size_t kMaxRecordPayloadBytes = 128U << 20U;
inline constexpr std::size_t kRecordTargetBytes = 8U << 20U;

struct SegmentHeader {
  BirthId birth;
  std::uint64_t number = 0;
  Zxid previous;           // what the first record follows
  std::uint32_t seed = 0;  // chain value at the end of the segment before
};

struct DecodedSegmentHeader {
  SegmentHeader header;
  std::uint32_t chain = 0;  // what the first record's check continues
};

Bytes encode_segment_header(const SegmentHeader& header);
// Of the file's first bytes. kCorrupt, or kUnsupported for a format version from the future.
Result<DecodedSegmentHeader> decode_segment_header(ByteView file);
// The chain value that the encoded header begins.
std::uint32_t chain_of(ByteView encoded_segment_header);

struct RecordHeader {
  std::uint32_t payload_bytes = 0;
  Zxid previous;
  Zxid first;
  std::uint32_t count = 0;
  Zxid commit_point;
  Zxid acknowledged;

  [[nodiscard]] Zxid last() const { return Zxid{first.packed + count - 1}; }
};

struct Record {
  RecordHeader header;
  std::vector<Entry> entries;
  std::uint32_t chain = 0;  // what the next record's check continues
  std::size_t bytes = 0;    // header and payload
};

// How many of `entries` (at least one) go into one record: those of one epoch, up to the target
// size.
std::size_t record_run(std::span<const Entry> entries);

// Writes one record; entries are not empty, consecutive and of one epoch. Returns the new chain
// value.
std::uint32_t append_record(ByteWriter& out, std::uint32_t chain, Zxid previous,
                            std::span<const Entry> entries, Zxid commit_point, Zxid acknowledged);

enum class RecordState {
  kGood,
  kTorn,     // looks like a write that was never synced: the file ends inside it, or a whole sector
             // of it is zero
  kDamaged,  // all there, and wrong
};

struct RecordRead {
  RecordState state = RecordState::kDamaged;
  Record record;  // when good
};

// The record at `offset`, which lies before the end of `file`.
RecordRead read_record(ByteView file, std::size_t offset, std::uint32_t chain, Zxid previous);

// The first header with a valid check of its own at or after `from`: proof that the log went on
// there.
std::optional<RecordHeader> find_record(ByteView file, std::size_t from);

}  // namespace ringside::coord
