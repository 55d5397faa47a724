#include "coord/codec/log_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "config/base/check.h"
#include "config/base/crc32c.h"

namespace ringside::coord {

namespace {

constexpr std::uint32_t kSegmentMagic = 0x52534c47;  // "RSLG"
constexpr std::uint32_t kRecordMagic = 0x52534c52;   // "RSLR"
constexpr std::size_t kHeaderCheckOffset = 44;
constexpr std::size_t kChainOffset = 48;
constexpr std::size_t kSectorBytes = 512;

// Parses a header whose own check holds and whose numbers can be right.
std::optional<RecordHeader> parse_header(ByteView file, std::size_t offset) {
  if (file.size() - offset < kRecordHeaderBytes) {
    return std::nullopt;
  }
  ByteReader reader(file.subspan(offset, kRecordHeaderBytes));
  if (reader.u32() != kRecordMagic) {
    return std::nullopt;
  }
  RecordHeader header;
  header.payload_bytes = reader.u32();
  header.previous = Zxid{reader.u64()};
  header.first = Zxid{reader.u64()};
  header.count = reader.u32();
  header.commit_point = Zxid{reader.u64()};
  header.acknowledged = Zxid{reader.u64()};
  if (reader.u32() != crc32c(file.subspan(offset, kHeaderCheckOffset))) {
    return std::nullopt;
  }
  const bool sane = header.payload_bytes <= kMaxRecordPayloadBytes && header.count > 0 &&
                    header.first.counter() > 0 &&
                    header.first.counter() + header.count - 1 <= Zxid::kMaxCounter;
  return sane ? std::optional(header) : std::nullopt;
}

bool all_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

// A sector that never reached the disk reads as zeros. Pieces of a few bytes prove nothing: a
// transaction may well end in zeros.
bool has_zero_sector(ByteView file, std::size_t begin, std::size_t end) {
  constexpr std::size_t kSmallestProof = 48;
  for (std::size_t at = begin; at < end;) {
    const std::size_t next = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
    const ByteView piece = file.subspan(at, next - at);
    if (piece.size() >= kSmallestProof && all_zero(piece)) {
      return true;
    }
    at = next;
  }
  return false;
}

bool parse_entries(ByteView payload, const RecordHeader& header, std::vector<Entry>& out) {
  ByteReader reader(payload);
  if (header.count > payload.size() / sizeof(std::uint32_t)) {
    return false;
  }
  out.reserve(header.count);
  for (std::uint32_t i = 0; i < header.count; ++i) {
    const ByteView txn = reader.blob(kMaxRecordPayloadBytes);
    out.push_back(
        {Zxid{header.first.packed + i}, std::make_shared<const Bytes>(txn.begin(), txn.end())});
  }
  return reader.done();
}

}  // namespace

Bytes encode_segment_header(const SegmentHeader& header) {
  ByteWriter out(kSegmentHeaderBytes);
  out.u32(kSegmentMagic);
  out.u16(kLogFormatVersion);
  out.u16(0);
  out.u64(header.birth.value);
  out.u64(header.number);
  out.u64(header.previous.packed);
  out.u32(header.seed);
  out.u32(crc32c(out.view()));
  return out.take();
}

std::uint32_t chain_of(ByteView encoded_segment_header) {
  ByteReader reader(encoded_segment_header.subspan(kSegmentHeaderBytes - 4));
  return reader.u32();
}

Result<DecodedSegmentHeader> decode_segment_header(ByteView file) {
  if (file.size() < kSegmentHeaderBytes) {
    return fail(ErrorCode::kCorrupt, "log segment is shorter than its header");
  }
  ByteReader reader(file.first(kSegmentHeaderBytes));
  const std::uint32_t magic = reader.u32();
  const std::uint16_t version = reader.u16();
  reader.u16();
  DecodedSegmentHeader out;
  out.header.birth = BirthId{reader.u64()};
  out.header.number = reader.u64();
  out.header.previous = Zxid{reader.u64()};
  out.header.seed = reader.u32();
  out.chain = reader.u32();
  if (magic != kSegmentMagic || out.chain != crc32c(file.first(kSegmentHeaderBytes - 4))) {
    return fail(ErrorCode::kCorrupt, "header of a log segment fails its check");
  }
  if (version == 0 || version > kLogFormatVersion) {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format("log segment has format version {}, this version of ringside reads up to {}: "
                    "start the one that wrote it, or a later one",
                    version, kLogFormatVersion));
  }
  return out;
}

std::size_t record_run(std::span<const Entry> entries) {
  CHECK(!entries.empty());
  const Epoch epoch = entries.front().zxid.epoch();
  std::size_t bytes = 0;
  std::size_t run = 0;
  while (run < entries.size() && entries[run].zxid.epoch() == epoch) {
    bytes += sizeof(std::uint32_t) + entries[run].txn->size();
    if (run > 0 && bytes > kRecordTargetBytes) {
      break;
    }
    ++run;
  }
  return run;
}

std::uint32_t append_record(ByteWriter& out, std::uint32_t chain, Zxid previous,
                            std::span<const Entry> entries, Zxid commit_point, Zxid acknowledged) {
  CHECK(!entries.empty());
  const std::size_t begin = out.size();
  out.u32(kRecordMagic);
  out.u32(0);
  out.u64(previous.packed);
  out.u64(entries.front().zxid.packed);
  out.u32(static_cast<std::uint32_t>(entries.size()));
  out.u64(commit_point.packed);
  out.u64(acknowledged.packed);
  out.u32(0);
  out.u32(0);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    CHECK(entries[i].zxid.packed == entries.front().zxid.packed + i);
    CHECK(entries[i].txn->size() <= kMaxRecordPayloadBytes);
    out.blob(*entries[i].txn);
  }
  const std::size_t payload = out.size() - begin - kRecordHeaderBytes;
  CHECK(payload <= kMaxRecordPayloadBytes);
  out.patch_u32(begin + 4, static_cast<std::uint32_t>(payload));
  out.patch_u32(begin + kHeaderCheckOffset, crc32c(out.view().subspan(begin, kHeaderCheckOffset)));
  std::uint32_t check = crc32c(out.view().subspan(begin, kChainOffset), chain);
  check = crc32c(out.view().subspan(begin + kRecordHeaderBytes), check);
  out.patch_u32(begin + kChainOffset, check);
  return check;
}

RecordRead read_record(ByteView file, std::size_t offset, std::uint32_t chain, Zxid previous) {
  const std::size_t left = file.size() - offset;
  const auto header = parse_header(file, offset);
  if (!header.has_value()) {
    // Nothing but zeros: blocks taken ahead and not written.
    const bool torn = left < kRecordHeaderBytes || all_zero(file.subspan(offset)) ||
                      has_zero_sector(file, offset, file.size());
    return {torn ? RecordState::kTorn : RecordState::kDamaged, {}};
  }
  const std::size_t bytes = kRecordHeaderBytes + header->payload_bytes;
  if (bytes > left) {
    return {RecordState::kTorn, {}};
  }
  const ByteView payload = file.subspan(offset + kRecordHeaderBytes, header->payload_bytes);
  ByteReader stored(file.subspan(offset + kChainOffset, 4));
  const std::uint32_t check = crc32c(payload, crc32c(file.subspan(offset, kChainOffset), chain));
  if (check != stored.u32()) {
    const bool torn = has_zero_sector(file, offset, offset + bytes);
    return {torn ? RecordState::kTorn : RecordState::kDamaged, {}};
  }
  RecordRead read{RecordState::kGood, {*header, {}, check, bytes}};
  const bool fits = header->previous == previous && header->first.follows(previous) &&
                    parse_entries(payload, *header, read.record.entries);
  if (!fits) {
    return {RecordState::kDamaged, {}};
  }
  return read;
}

std::optional<RecordHeader> find_record(ByteView file, std::size_t from) {
  for (std::size_t at = from; at + kRecordHeaderBytes <= file.size(); ++at) {
    if (file[at] != (kRecordMagic >> 24U)) {
      continue;
    }
    if (const auto header = parse_header(file, at)) {
      return header;
    }
  }
  return std::nullopt;
}

}  // namespace ringside::coord
