#include "config/base/crc32c.h"
#include "coord/codec/log_format.h"
#include "coord/codec/manifest_codec.h"
#include "coord/codec/snapshot_file.h"
#include "tests/unit/coord_storage/fixture.h"

namespace ringside::coord {

namespace {

Manifest sample() {
  Manifest manifest;
  manifest.ring_name = "orders";
  manifest.member = MemberId{3};
  manifest.birth = BirthId{9};
  manifest.accepted_epoch = Epoch{5};
  manifest.current_epoch = Epoch{4};
  manifest.commit_point = zxid(4, 2);
  manifest.next_file = 12;
  manifest.doubt = "why";
  manifest.snapshot = ManifestSnapshot{zxid(4, 1), 7};
  manifest.segments = {{8, zxid(4, 1), 11, 500, zxid(4, 9), false},
                       {9, zxid(4, 9), 12, 600, zxid(4, 12), true}};
  return manifest;
}

}  // namespace

TEST_CASE("AManifestReadsAsWritten") {
  const Bytes bytes = encode_manifest(sample());
  const auto read = decode_manifest(bytes);
  REQUIRE(read.has_value());
  CHECK(encode_manifest(*read) == bytes);
  CHECK(read->doubt == "why");
  CHECK(read->segments[1].open);
}

TEST_CASE("AManifestThatIsCutOrContradictsItselfIsCorrupt") {
  const Bytes bytes = encode_manifest(sample());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(decode_manifest(ByteView(bytes).first(size)).error().code == ErrorCode::kCorrupt);
  }
  Manifest gap = sample();
  gap.segments[1].previous = zxid(4, 10);
  CHECK_FALSE(decode_manifest(encode_manifest(gap)).has_value());
  Manifest epochs = sample();
  epochs.current_epoch = Epoch{6};
  CHECK_FALSE(decode_manifest(encode_manifest(epochs)).has_value());
  Manifest open = sample();
  open.segments[0].open = true;
  CHECK_FALSE(decode_manifest(encode_manifest(open)).has_value());
}

TEST_CASE("FormatsOfALaterVersionAreNamedAsSuch") {
  const Bytes manifest = encode_manifest(sample());
  CHECK(decode_manifest(of_version(manifest, 2, manifest.size() - 4)).error().code ==
        ErrorCode::kUnsupported);
  const Bytes segment = encode_segment_header({BirthId{1}, 2, zxid(1, 1), 3});
  CHECK(decode_segment_header(of_version(segment, 2, kSegmentHeaderBytes - 4)).error().code ==
        ErrorCode::kUnsupported);
  // Of a later snapshot only the header is known.
  const Bytes snapshot = encode_snapshot_header(BirthId{1}, zxid(1, 1));
  const auto later = decode_snapshot_file(of_version(snapshot, 3, kSnapshotHeaderBytes - 4));
  CHECK(later.error().code == ErrorCode::kUnsupported);
  CHECK(later.error().message.find("version 3") != std::string::npos);
}

namespace {

Bytes snapshot_of(const std::vector<std::string>& parts) {
  Bytes file = encode_snapshot_header(BirthId{7}, zxid(2, 3));
  const std::size_t before = file.size();
  for (const std::string& part : parts) {
    file.insert(file.end(), part.begin(), part.end());
  }
  const Bytes trailer = encode_snapshot_trailer(file.size() - before, crc32c(file));
  file.insert(file.end(), trailer.begin(), trailer.end());
  return file;
}

}  // namespace

TEST_CASE("ASnapshotFileReadsAsWritten") {
  for (const auto& parts : {std::vector<std::string>{}, {"one"}, {"one", "two", "three"}}) {
    const Bytes file = snapshot_of(parts);
    const auto read = decode_snapshot_file(file);
    REQUIRE(read.has_value());
    CHECK(read->birth == BirthId{7});
    CHECK(read->zxid == zxid(2, 3));
    std::string whole;
    for (const std::string& part : parts) {
      whole += part;
    }
    CHECK(as_text(read->state) == whole);
    for (std::size_t size = 0; size < file.size(); ++size) {
      CHECK(decode_snapshot_file(ByteView(file).first(size)).error().code == ErrorCode::kCorrupt);
    }
  }
}

// As versions of ringside before 2 wrote it: length and check in the header.
TEST_CASE("ASnapshotFileOfVersionOneIsStillRead") {
  ByteWriter out;
  out.u32(0x5253534e);
  out.u16(1);
  out.u16(0);
  out.u64(7);
  out.u64(zxid(2, 3).packed);
  out.u64(5);
  out.u32(crc32c(as_bytes("state"), crc32c(out.view())));
  out.raw(as_bytes("state"));
  Bytes file = out.take();
  const auto read = decode_snapshot_file(file);
  REQUIRE(read.has_value());
  CHECK(read->birth == BirthId{7});
  CHECK(read->zxid == zxid(2, 3));
  CHECK(as_text(read->state) == "state");
  for (std::size_t at = 0; at < file.size(); ++at) {
    file[at] ^= 0x10;
    CHECK(decode_snapshot_file(file).error().code == ErrorCode::kCorrupt);
    file[at] ^= 0x10;
  }
}

TEST_CASE("ARecordReadsAsWritten") {
  ByteWriter out;
  const auto written = entries(zxid(2, 5), 3);
  const std::uint32_t chain = append_record(out, 42, zxid(2, 4), written, zxid(2, 1), zxid(2, 3));
  const RecordRead read = read_record(out.view(), 0, 42, zxid(2, 4));
  REQUIRE(read.state == RecordState::kGood);
  CHECK(read.record.chain == chain);
  CHECK(read.record.bytes == out.size());
  CHECK(read.record.header.commit_point == zxid(2, 1));
  CHECK(read.record.header.acknowledged == zxid(2, 3));
  CHECK(zxids(read.record.entries) == zxids(written));
}

TEST_CASE("ARecordIsGoodInItsOwnPlaceOnly") {
  ByteWriter out;
  append_record(out, 42, zxid(2, 4), entries(zxid(2, 5), 3), {}, {});
  CHECK(read_record(out.view(), 0, 43, zxid(2, 4)).state == RecordState::kDamaged);
  CHECK(read_record(out.view(), 0, 42, zxid(2, 3)).state == RecordState::kDamaged);
}

TEST_CASE("ARecordWithWrongLengthsInsideAGoodCheckIsDamaged") {
  ByteWriter out;
  append_record(out, 42, zxid(2, 4), entries(zxid(2, 5), 1), {}, {});
  Bytes bytes = out.take();
  bytes[kRecordHeaderBytes] = 0xff;  // length of the first entry
  const std::uint32_t check =
      crc32c(ByteView(bytes).subspan(kRecordHeaderBytes), crc32c(ByteView(bytes).first(48), 42));
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[48 + i] = static_cast<std::uint8_t>(check >> (24U - 8U * i));
  }
  CHECK(read_record(bytes, 0, 42, zxid(2, 4)).state == RecordState::kDamaged);
}

TEST_CASE("ARunStopsAtAnEpochAndAtTheTargetSize") {
  auto mixed = entries(zxid(1, 1), 3);
  mixed.push_back(entry(zxid(2, 1)));
  CHECK(record_run(mixed) == 3);
  std::vector<Entry> big;
  for (std::uint64_t i = 1; i <= 8; ++i) {
    big.push_back({zxid(1, i), std::make_shared<const Bytes>(3U << 20U)});
  }
  CHECK(record_run(big) == 2);
  CHECK(record_run(std::span(big).first(1)) == 1);
}

// FORMATS.md shows these very bytes.
TEST_CASE("TheWorkedExampleOfFormatsIsRight") {
  Bytes file = encode_segment_header({BirthId{0x1122}, 1, Zxid{}, 0});
  const std::uint32_t chain = chain_of(file);
  ByteWriter record;
  append_record(record, chain, Zxid{}, std::vector{Entry{zxid(1, 1), text("hi")}}, {}, {});
  file.insert(file.end(), record.view().begin(), record.view().end());
  std::string hex;
  for (const std::uint8_t byte : file) {
    constexpr const char* kDigits = "0123456789abcdef";
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  CHECK(hex ==
        "52534c47"
        "0001"
        "0000"
        "0000000000001122"
        "0000000000000001"
        "0000000000000000"
        "00000000"
        "ab5efd83"
        "52534c52"
        "00000006"
        "0000000000000000"
        "0000010000000001"
        "00000001"
        "0000000000000000"
        "0000000000000000"
        "7633c8cc"
        "a08869dd"
        "00000002"
        "6869");
}

}  // namespace ringside::coord
