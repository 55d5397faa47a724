#include "coord/codec/snapshot_file.h"

#include "config/base/crc32c.h"

namespace ringside::coord {

namespace {

constexpr std::uint32_t kMagic = 0x5253534e;  // "RSSN"

}  // namespace

Bytes encode_snapshot_header(BirthId birth, Zxid zxid, ByteView state) {
  ByteWriter out(kSnapshotHeaderBytes);
  out.u32(kMagic);
  out.u16(kSnapshotFileVersion);
  out.u16(0);
  out.u64(birth.value);
  out.u64(zxid.packed);
  out.u64(state.size());
  out.u32(crc32c(state, crc32c(out.view())));
  return out.take();
}

Result<SnapshotFile> decode_snapshot_file(ByteView file) {
  ByteReader reader(file);
  const std::uint32_t magic = reader.u32();
  const std::uint16_t version = reader.u16();
  reader.u16();
  SnapshotFile out;
  out.birth = BirthId{reader.u64()};
  out.zxid = Zxid{reader.u64()};
  const std::uint64_t size = reader.u64();
  const std::uint32_t check = reader.u32();
  if (!reader.ok() || magic != kMagic) {
    return fail(ErrorCode::kCorrupt, "snapshot has no header of ours");
  }
  if (size != reader.left()) {
    return fail(ErrorCode::kCorrupt, "snapshot is cut short or too long");
  }
  out.state = file.subspan(kSnapshotHeaderBytes);
  if (check != crc32c(out.state, crc32c(file.first(kSnapshotHeaderBytes - 4)))) {
    return fail(ErrorCode::kCorrupt, "snapshot fails its check");
  }
  if (version == 0 || version > kSnapshotFileVersion) {
    return fail(ErrorCode::kUnsupported, "snapshot has a format of a later version");
  }
  return out;
}

}  // namespace ringside::coord
