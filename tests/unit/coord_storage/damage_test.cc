// D16: damage is told from a write that never completed, and costs the vote.
#include "coord/codec/log_format.h"
#include "coord/codec/manifest_codec.h"
#include "coord/codec/snapshot_file.h"
#include "tests/unit/coord_storage/fixture.h"

namespace ringside::coord {

namespace {

// Ends of the records of the only segment, from the outside: appends of known sizes.
struct Grown {
  explicit Grown(std::size_t records, std::uint64_t segment_bytes = 1U << 20U)
      : member(segment_bytes) {
    member.restart();
    member.storage->save_epochs(Member::kBirth, Epoch{1}, Epoch{1});
    member.run();
    for (std::size_t i = 1; i <= records; ++i) {
      member.storage->append(entries(zxid(1, i), 1), {}, zxid(1, i - 1));
      member.run();
      ends.push_back(file().size());
    }
  }
  Bytes& file() { return member.disk.bytes_of(member.files("log.").front()); }

  Member member;
  std::vector<std::size_t> ends;
};

}  // namespace

TEST_CASE("D16ATornLastRecordIsCutAndLeavesNoDoubt") {
  const Grown whole(4);
  for (std::size_t size = whole.ends[2]; size < whole.ends[3]; ++size) {
    CAPTURE(size);
    Grown grown(4);
    grown.file().resize(size);
    const Recovered recovered = grown.member.restart();
    CHECK_FALSE(recovered.in_doubt);
    CHECK(recovered.log.size() == 3);
    grown.member.storage->append(entries(zxid(1, 4), 2), {}, {});
    grown.member.run();
    const Recovered again = grown.member.restart();
    CHECK_FALSE(again.in_doubt);
    CHECK(zxids(again.log) == zxids(entries(zxid(1, 1), 5)));
  }
}

TEST_CASE("D16AnUnwrittenSectorOfTheLastRecordIsATornWrite") {
  Grown grown(3);
  std::fill(grown.file().begin() + static_cast<std::ptrdiff_t>(grown.ends[1]), grown.file().end(),
            std::uint8_t{0});
  const Recovered recovered = grown.member.restart();
  CHECK_FALSE(recovered.in_doubt);
  CHECK(recovered.log.size() == 2);
}

TEST_CASE("D16AZeroedSectorBeforeGoodRecordsIsDamage") {
  Member member;
  member.restart();
  member.grow(1, 1);
  const Entry big{zxid(1, 2), std::make_shared<const Bytes>(2000, 'x')};
  member.storage->append(std::span(&big, 1), {}, {});
  member.storage->append(entries(zxid(1, 3), 1), {}, {});
  member.run();
  Bytes& file = member.disk.bytes_of(member.files("log.").front());
  std::fill_n(file.begin() + 1024, 512, std::uint8_t{0});
  const Recovered recovered = member.restart();
  CHECK(recovered.in_doubt);
  CHECK(recovered.log.size() == 1);
}

TEST_CASE("D16ACutTailCannotComeBack") {
  Grown grown(4);
  const Bytes before = grown.file();
  const std::string name = grown.member.files("log.").front();
  grown.file().resize(grown.ends[3] - 1);
  grown.member.restart();
  grown.member.storage->append(std::vector{Entry{zxid(1, 4), text("another four")}}, {}, {});
  grown.member.run();
  grown.member.disk.bytes_of(name) = before;  // the torn bytes turn up whole
  const Recovered recovered = grown.member.restart();
  CHECK(*recovered.log.back().txn == *text("another four"));
}

TEST_CASE("D16AnyFlippedByteCostsTheVoteAndKeepsTheGoodPrefix") {
  const Grown whole(4);
  for (std::size_t at = 0; at < whole.ends[3]; ++at) {
    CAPTURE(at);
    Grown grown(4);
    grown.file()[at] ^= 0x41;
    const Recovered recovered = grown.member.restart();
    CHECK(recovered.in_doubt);
    CHECK_FALSE(recovered.doubt_reason.empty());
    std::size_t good = 0;
    while (at >= grown.ends[good]) {
      ++good;
    }
    CHECK(zxids(recovered.log) == zxids(entries(zxid(1, 1), at < kSegmentHeaderBytes ? 0 : good)));
  }
}

TEST_CASE("D16DoubtOutlivesRestartsUntilANewEpochHeals") {
  Grown grown(4);
  grown.file()[grown.ends[1] + 60] ^= 1;
  CHECK(grown.member.restart().in_doubt);
  grown.member.storage->save_epochs(Member::kBirth, Epoch{2}, Epoch{1});
  grown.member.run();
  CHECK(grown.member.restart().in_doubt);
  grown.member.storage->save_epochs(Member::kBirth, Epoch{2}, Epoch{2});
  grown.member.run();
  CHECK_FALSE(grown.member.restart().in_doubt);
}

TEST_CASE("D16WhileInDoubtNoFileIsRemoved") {
  Member member(150);
  member.restart();
  member.grow(1, 12);
  const auto before = member.files("log.");
  REQUIRE(before.size() > 2);
  member.disk.bytes_of(before.front())[70] ^= 1;
  CHECK(member.restart().in_doubt);
  CHECK(member.files("log.") == before);
}

TEST_CASE("D16AShortenedHistoryGivesUpTheEpochItNoLongerReaches") {
  Grown grown(3);
  grown.member.storage->save_epochs(Member::kBirth, Epoch{4}, Epoch{4});
  grown.member.run();
  grown.file()[grown.ends[1] + 60] ^= 1;
  const Recovered recovered = grown.member.restart();
  CHECK(recovered.in_doubt);
  CHECK(recovered.accepted_epoch == Epoch{4});
  CHECK(recovered.current_epoch == Epoch{1});
}

TEST_CASE("D16ALogCutBelowWhatTheManifestSawIsInDoubt") {
  Grown grown(3);
  grown.member.storage->save_epochs(Member::kBirth, Epoch{2}, Epoch{2});
  grown.member.run();
  grown.file().resize(grown.ends[1]);  // a clean end, but three records were durable
  const Recovered recovered = grown.member.restart();
  CHECK(recovered.in_doubt);
  CHECK(recovered.log.size() == 2);
}

TEST_CASE("D16AMissingSegmentOrSnapshotIsInDoubt") {
  for (const char* prefix : {"log.", "snap."}) {
    CAPTURE(prefix);
    Member member;
    member.restart();
    member.grow(1, 4);
    member.save_snapshot(zxid(1, 2), "two", zxid(1, 3));
    member.run();
    member.disk.apply(RemoveFile{member.files(prefix).front()});
    const Recovered recovered = member.restart();
    CHECK(recovered.in_doubt);
    CHECK(recovered.log.empty() == (std::string(prefix) == "log."));
  }
}

TEST_CASE("D16ASnapshotOfWhichAnyByteIsWrongIsInDoubt") {
  Member member;
  member.restart();
  member.grow(1, 4);
  member.save_snapshot(zxid(1, 4), "four", zxid(1, 5));
  member.run();
  Bytes& file = member.disk.bytes_of(member.files("snap.").front());
  for (std::size_t at = 0; at < file.size(); ++at) {
    CAPTURE(at);
    file[at] ^= 0x10;
    const Recovered recovered = member.restart();
    CHECK(recovered.in_doubt);
    CHECK_FALSE(recovered.snapshot.has_value());
    file[at] ^= 0x10;
  }
}

TEST_CASE("D16DamageBelowTheSnapshotOnlyShortensWhatIsKeptForDiff") {
  Member member(150);
  member.restart();
  member.grow(1, 12);
  member.save_snapshot(zxid(1, 12), "twelve", zxid(1, 1));
  member.run();
  member.storage->append(entries(zxid(1, 13), 1), {}, {});
  member.run();
  const auto logs = member.files("log.");
  REQUIRE(logs.size() > 3);
  member.disk.bytes_of(logs[1])[70] ^= 1;
  const Recovered recovered = member.restart();
  CHECK_FALSE(recovered.in_doubt);
  CHECK(recovered.log.front().zxid >= zxid(1, 3));
  CHECK(recovered.log.back().zxid == zxid(1, 13));
}

TEST_CASE("D16ALostOrDamagedManifestIsInDoubt") {
  Member member;
  member.restart();
  member.grow(1, 4);
  const Bytes manifest = member.disk.bytes_of("manifest");
  for (std::size_t at = 0; at < manifest.size(); ++at) {
    CAPTURE(at);
    member.disk.bytes_of("manifest")[at] ^= 0x20;
    const Recovered recovered = member.restart();
    CHECK(recovered.in_doubt);
    CHECK_FALSE(recovered.fresh);
    CHECK(recovered.log.empty());
    member.disk.bytes_of("manifest") = manifest;
  }
  member.disk.apply(RemoveFile{"manifest"});
  CHECK(member.restart().in_doubt);
  // Synchronized anew, it is whole again, and uses no number of the old files.
  NewHistory history;
  history.snapshot = member.write_snapshot(zxid(1, 2), "two");
  history.entries = entries(zxid(1, 3), 1);
  history.birth = Member::kBirth;
  history.accepted_epoch = history.current_epoch = Epoch{2};
  member.storage->switch_history(history);
  member.run();
  const Recovered healed = member.restart();
  CHECK_FALSE(healed.in_doubt);
  CHECK(zxids(healed.log) == std::vector{zxid(1, 3)});
  CHECK(member.files("log.").size() == 1);
}

TEST_CASE("D16UnreadableFilesAreDamage") {
  Member member;
  member.restart();
  member.grow(1, 4);
  member.save_snapshot(zxid(1, 2), "two", zxid(1, 1));
  member.run();
  for (const std::string& name :
       {std::string("manifest"), member.files("log.").front(), member.files("snap.").front()}) {
    DiskImage image = member.disk.image();
    image.files.erase(name);
    image.unreadable.push_back(name);
    Storage storage(member.options, member.port);
    const auto recovered = storage.recover(image);
    REQUIRE(recovered.has_value());
    CHECK(recovered->in_doubt);
  }
}

TEST_CASE("AFileOfALaterVersionIsRefusedByNameAndNothingIsTouched") {
  Member member;
  member.restart();
  member.grow(1, 4);
  member.save_snapshot(zxid(1, 2), "two", zxid(1, 1));
  member.run();
  const std::string manifest = "manifest";
  const std::vector<std::pair<std::string, std::size_t>> files{
      {manifest, member.disk.bytes_of(manifest).size() - 4},
      {member.files("log.").front(), kSegmentHeaderBytes - 4},
      {member.files("snap.").front(), kSnapshotHeaderBytes - 4}};
  for (const auto& [name, check_offset] : files) {
    CAPTURE(name);
    const Bytes before = member.disk.bytes_of(name);
    member.disk.bytes_of(name) = of_version(before, 99, check_offset);
    const auto refused = member.try_restart();
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::kUnsupported);
    CHECK(refused.error().message.starts_with(name));
    CHECK(refused.error().message.find("version 99") != std::string::npos);
    CHECK(member.port.batches.empty());
    member.disk.bytes_of(name) = before;
  }
  CHECK_FALSE(member.restart().in_doubt);
}

TEST_CASE("D16AClosedSegmentThatIsShorterThanItWasIsInDoubt") {
  Member member(200);
  member.restart();
  member.grow(1, 8);
  const auto logs = member.files("log.");
  REQUIRE(logs.size() > 3);
  const Bytes whole = member.disk.bytes_of(logs[1]);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    member.disk.bytes_of(logs[1]).resize(size);
    const Recovered recovered = member.try_restart().value();
    CHECK(recovered.in_doubt);
    CHECK(recovered.log.size() < 8);
    member.disk.bytes_of(logs[1]) = whole;
  }
}

TEST_CASE("BytesBehindTheEndOfAClosedSegmentAreNoPartOfIt") {
  Member member(200);
  member.restart();
  member.grow(1, 8);
  Bytes& file = member.disk.bytes_of(member.files("log.")[1]);
  file.resize(file.size() + 300, 0xab);
  const Recovered recovered = member.restart();
  CHECK_FALSE(recovered.in_doubt);
  CHECK(recovered.log.size() == 8);
}

// Found by fuzz_directory: the zxid 2.0 is no transaction's.
TEST_CASE("AManifestThatEndsASegmentBetweenTwoRecordsIsInDoubt") {
  Member member(200);
  member.restart();
  member.grow(1, 3);
  member.grow(2, 1);
  Manifest manifest = decode_manifest(member.disk.bytes_of("manifest")).value();
  manifest.segments.back().last = zxid(2, 0);
  manifest.segments.back().open = false;
  member.disk.bytes_of("manifest") = encode_manifest(manifest);
  CHECK(member.restart().in_doubt);
  member.grow(3, 2);
  const Recovered recovered = member.restart();
  CHECK_FALSE(recovered.in_doubt);
  CHECK(recovered.log.back().zxid == zxid(3, 2));
}

}  // namespace ringside::coord
