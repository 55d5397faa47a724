#include "coord/codec/snapshot_file.h"

#include <fmt/format.h>

#include "config/base/crc32c.h"

namespace ringside::coord {

namespace {

constexpr std::uint32_t kMagic = 0x5253534e;    // "RSSN"
constexpr std::uint32_t kTrailer = 0x52535345;  // "RSSE"
constexpr std::size_t kCheckBytes = 4;
constexpr std::size_t kOldHeaderBytes = 36;  // of version 1

// u64 birth, u64 zxid, u64 length, u32 check of what stands before and of the state behind it.
Result<SnapshotFile> decode_version_1(ByteView file) {
  ByteReader reader(file.subspan(8));
  SnapshotFile out;
  out.birth = BirthId{reader.u64()};
  out.zxid = Zxid{reader.u64()};
  const std::uint64_t size = reader.u64();
  const std::uint32_t check = reader.u32();
  if (!reader.ok() || size != reader.left()) {
    return fail(ErrorCode::kCorrupt, "snapshot is cut short or too long");
  }
  out.state = file.subspan(kOldHeaderBytes);
  if (check != crc32c(out.state, crc32c(file.first(kOldHeaderBytes - kCheckBytes)))) {
    return fail(ErrorCode::kCorrupt, "snapshot fails its check");
  }
  return out;
}

}  // namespace

Bytes encode_snapshot_header(BirthId birth, Zxid zxid) {
  ByteWriter out(kSnapshotHeaderBytes);
  out.u32(kMagic);
  out.u16(kSnapshotFileVersion);
  out.u16(0);
  out.u64(birth.value);
  out.u64(zxid.packed);
  out.u32(crc32c(out.view()));
  return out.take();
}

Bytes encode_snapshot_trailer(std::uint64_t state_bytes, std::uint32_t check) {
  ByteWriter out(kSnapshotTrailerBytes);
  out.u32(kTrailer);
  out.u64(state_bytes);
  out.u32(crc32c(out.view(), check));
  return out.take();
}

Result<SnapshotFile> decode_snapshot_file(ByteView file) {
  ByteReader reader(file);
  const std::uint32_t magic = reader.u32();
  const std::uint16_t version = reader.u16();
  reader.u16();
  if (!reader.ok() || magic != kMagic) {
    return fail(ErrorCode::kCorrupt, "snapshot has no header of ours");
  }
  if (version == 1) {
    return decode_version_1(file);
  }
  SnapshotFile out;
  out.birth = BirthId{reader.u64()};
  out.zxid = Zxid{reader.u64()};
  const std::uint32_t header_check = reader.u32();
  if (!reader.ok() || header_check != crc32c(file.first(kSnapshotHeaderBytes - kCheckBytes))) {
    return fail(ErrorCode::kCorrupt, "header of a snapshot fails its check");
  }
  if (version == 0 || version > kSnapshotFileVersion) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("snapshot has format version {}, this version of ringside reads up to "
                            "{}: start the one that wrote it, or a later one",
                            version, kSnapshotFileVersion));
  }
  if (file.size() < kSnapshotHeaderBytes + kSnapshotTrailerBytes) {
    return fail(ErrorCode::kCorrupt, "snapshot is cut short");
  }
  ByteReader trailer(file.last(kSnapshotTrailerBytes));
  out.state = file.subspan(kSnapshotHeaderBytes,
                           file.size() - kSnapshotHeaderBytes - kSnapshotTrailerBytes);
  if (trailer.u32() != kTrailer || trailer.u64() != out.state.size()) {
    return fail(ErrorCode::kCorrupt, "snapshot is cut short or too long");
  }
  if (trailer.u32() != crc32c(file.first(file.size() - kCheckBytes))) {
    return fail(ErrorCode::kCorrupt, "snapshot fails its check");
  }
  return out;
}

}  // namespace ringside::coord
