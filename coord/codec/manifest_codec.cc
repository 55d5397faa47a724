#include "coord/codec/manifest_codec.h"

#include <fmt/format.h>

#include "config/base/crc32c.h"

namespace ringside::coord {

namespace {

constexpr std::uint32_t kMagic = 0x52534d46;  // "RSMF"
constexpr std::size_t kSmallestFile = 4 + 2 + 2 + 4;
constexpr std::size_t kMaxRingNameBytes = 256;
constexpr std::size_t kMaxDoubtBytes = 1024;
constexpr std::size_t kSegmentBytes = 8 + 8 + 4 + 8 + 8 + 1;

void write_segment(ByteWriter& out, const ManifestSegment& segment) {
  out.u64(segment.number);
  out.u64(segment.previous.packed);
  out.u32(segment.seed);
  out.u64(segment.end);
  out.u64(segment.last.packed);
  out.boolean(segment.open);
}

ManifestSegment read_segment(ByteReader& reader) {
  ManifestSegment segment;
  segment.number = reader.u64();
  segment.previous = Zxid{reader.u64()};
  segment.seed = reader.u32();
  segment.end = reader.u64();
  segment.last = Zxid{reader.u64()};
  segment.open = reader.boolean();
  return segment;
}

bool consistent(const Manifest& manifest) {
  if (manifest.current_epoch > manifest.accepted_epoch ||
      manifest.accepted_epoch.value > kMaxEpoch) {
    return false;
  }
  if (manifest.snapshot && manifest.snapshot->number >= manifest.next_file) {
    return false;
  }
  for (std::size_t i = 0; i < manifest.segments.size(); ++i) {
    const ManifestSegment& segment = manifest.segments[i];
    const bool is_last = i + 1 == manifest.segments.size();
    if (segment.number >= manifest.next_file || segment.last <= segment.previous ||
        (segment.open && !is_last) ||
        (!is_last && manifest.segments[i + 1].previous != segment.last)) {
      return false;
    }
  }
  return true;
}

}  // namespace

Bytes encode_manifest(const Manifest& manifest) {
  ByteWriter out;
  out.u32(kMagic);
  out.u16(kManifestVersion);
  out.u16(0);
  out.text(manifest.ring_name);
  out.u64(manifest.member.value);
  out.u64(manifest.birth.value);
  out.u32(manifest.accepted_epoch.value);
  out.u32(manifest.current_epoch.value);
  out.u64(manifest.commit_point.packed);
  out.u64(manifest.next_file);
  out.text(std::string_view(manifest.doubt).substr(0, kMaxDoubtBytes));
  out.boolean(manifest.snapshot.has_value());
  const ManifestSnapshot snapshot = manifest.snapshot.value_or(ManifestSnapshot{});
  out.u64(snapshot.zxid.packed);
  out.u64(snapshot.number);
  out.u32(static_cast<std::uint32_t>(manifest.segments.size()));
  for (const ManifestSegment& segment : manifest.segments) {
    write_segment(out, segment);
  }
  out.u32(crc32c(out.view()));
  return out.take();
}

Result<Manifest> decode_manifest(ByteView file) {
  if (file.size() < kSmallestFile) {
    return fail(ErrorCode::kCorrupt, "manifest is too short");
  }
  ByteReader check(file.last(4));
  if (check.u32() != crc32c(file.first(file.size() - 4))) {
    return fail(ErrorCode::kCorrupt, "manifest fails its check");
  }
  ByteReader reader(file.first(file.size() - 4));
  if (reader.u32() != kMagic) {
    return fail(ErrorCode::kCorrupt, "manifest is not one of ours");
  }
  const std::uint16_t version = reader.u16();
  if (version == 0 || version > kManifestVersion) {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format("manifest has format version {}, this version of ringside reads up to {}: "
                    "start the one that wrote it, or a later one",
                    version, kManifestVersion));
  }
  reader.u16();
  Manifest manifest;
  manifest.ring_name = reader.text(kMaxRingNameBytes);
  manifest.member = MemberId{reader.u64()};
  manifest.birth = BirthId{reader.u64()};
  manifest.accepted_epoch = Epoch{reader.u32()};
  manifest.current_epoch = Epoch{reader.u32()};
  manifest.commit_point = Zxid{reader.u64()};
  manifest.next_file = reader.u64();
  manifest.doubt = reader.text(kMaxDoubtBytes);
  const bool has_snapshot = reader.boolean();
  const ManifestSnapshot snapshot{Zxid{reader.u64()}, reader.u64()};
  if (has_snapshot) {
    manifest.snapshot = snapshot;
  }
  const std::uint32_t segments = reader.count(kSegmentBytes);
  for (std::uint32_t i = 0; i < segments; ++i) {
    manifest.segments.push_back(read_segment(reader));
  }
  if (!reader.done() || !consistent(manifest)) {
    return fail(ErrorCode::kCorrupt, "manifest contradicts itself");
  }
  return manifest;
}

}  // namespace ringside::coord
