// Blocks are taken before they are needed: a full disk delays what the member has begun and never
// fails it; the member hears of it in time.
#include "coord/storage/room.h"
#include "coord/codec/log_format.h"
#include "tests/unit/coord_storage/fixture.h"

namespace ringside::coord {

namespace {

constexpr std::uint64_t kSmall = 64U << 10U;
constexpr milliseconds kSecond{1000};

void fill_disk(Member& member) {
  member.disk.set_capacity(member.disk.used());
}
void give_room(Member& member) {
  member.disk.set_capacity(1ULL << 40U);
}

// Appends one entry of `bytes`; the batch.
DiskBatchId append(Member& member, Zxid at, std::size_t bytes) {
  const Entry big{at, std::make_shared<const Bytes>(bytes, 'x')};
  return member.storage->append(std::span(&big, 1), {}, {});
}

struct Tended : Member {
  Tended() : Member(kSmall) {
    restart();
    storage->save_epochs(kBirth, Epoch{1}, Epoch{1});
    append(*this, zxid(1, 1), 100);
    run();
    tend(milliseconds(0));
  }
};

}  // namespace

// The log's next sync of the directory would pass for done.
TEST_CASE("D9AFailedSyncOfNamesFencesAlsoInTheSideLane") {
  for (const ErrorCode code : {ErrorCode::kIo, ErrorCode::kUnavailable}) {
    CAPTURE(to_string(code));
    Tended member;
    member.save_snapshot(zxid(1, 1), "one", zxid(1, 1));
    member.save_snapshot(zxid(1, 1), "again", zxid(1, 1));  // the first one's file goes
    std::size_t syncs = 0;
    for (; !member.port.batches.empty(); member.port.batches.pop_front()) {
      const DiskBatch batch = member.port.batches.front();
      const bool names = batch.lane == DiskLane::kSide && syncs_names(batch.ops);
      syncs += names ? 1 : 0;
      CHECK((!names || batch.ops.size() == 1));  // no precaution fails with it
      const DiskOutcome outcome = member.storage->on_disk_done(
          batch.id, names ? Status(fail(code, "sync")) : member.carry_out(batch));
      if (names) {
        CHECK(outcome ==
              (code == ErrorCode::kIo ? DiskOutcome::kFenced : DiskOutcome::kSideFailed));
        break;
      }
    }
    CHECK(syncs == 1);
    CHECK(member.storage->fenced() == (code == ErrorCode::kIo));
  }
}

TEST_CASE("ASpareIsReadyBeforeTheSegmentIsFull") {
  Tended member;
  CHECK(member.files(kSparePrefix).size() == 1 + kSpareManifests);
  const std::size_t segments = member.files("log.").size();
  append(member, zxid(1, 2), kSmall - 200);
  REQUIRE(member.port.batches.front().lane == DiskLane::kLog);  // it waits for nothing
  const auto* rename = std::get_if<RenameFile>(&member.port.batches.front().ops.front());
  REQUIRE(rename != nullptr);
  CHECK(rename->from.starts_with(kSparePrefix));
  member.run();
  CHECK(member.files("log.").size() == segments + 1);
}

TEST_CASE("OnAFullDiskTheMemberIsShortWhileItHasASegmentLeft") {
  Tended member;
  fill_disk(member);
  append(member, zxid(1, 2), kSmall - 200);  // takes the spare
  member.run();
  CHECK(member.storage->short_of_room().empty());
  member.tend(kSecond);  // the next one finds no room
  const std::string why = member.storage->short_of_room();
  CHECK(why.find("bytes are wanted") != std::string::npos);
  CHECK(why.find("full") != std::string::npos);
  // What is left of the open segment still serves.
  const DiskBatchId id = append(member, zxid(1, 3), 20);
  member.run();
  CHECK(member.done(id));
}

TEST_CASE("AnAppendThatFindsNoRoomWaitsAndIsDoneOnceThereIsSome") {
  Tended member;
  fill_disk(member);
  append(member, zxid(1, 2), kSmall - 200);
  member.run();
  const DiskBatchId waits = append(member, zxid(1, 3), kSmall - 200);
  const DiskBatchId behind = member.storage->save_epochs(Member::kBirth, Epoch{2}, Epoch{1});
  member.run();
  CHECK_FALSE(member.done(waits));
  CHECK_FALSE(member.done(behind));  // in order
  CHECK_FALSE(member.storage->fenced());
  CHECK_FALSE(member.storage->short_of_room().empty());
  CHECK(member.restart().log.back().zxid == zxid(1, 2));  // never acknowledged, so no loss
}

TEST_CASE("AnAppendThatWaitsForRoomDoesNotHoldUpTheAdoptionThatGivesIt") {
  Tended member;
  for (std::uint64_t i = 2; i < 6; ++i) {  // a segment each
    append(member, zxid(1, i), kSmall - 200);
    member.run();
  }
  const SnapshotFileId file = member.write_snapshot(zxid(1, 5), "five");
  member.tend(milliseconds(0));
  fill_disk(member);
  append(member, zxid(1, 6), kSmall - 200);  // takes the spare segment
  const DiskBatchId waits = append(member, zxid(1, 7), kSmall - 200);
  const DiskBatchId behind = append(member, zxid(1, 8), kSmall - 200);
  member.run();
  CHECK_FALSE(member.done(waits));
  const std::size_t segments = member.files("log.").size();

  const DiskBatchId adopted = member.storage->adopt_snapshot(file, zxid(1, 6));
  const auto without = [&] {  // what a crash now leaves: the snapshot, and nothing that waits
    Member after(kSmall);
    after.disk = member.disk;
    return after.restart();
  };
  for (bool seen = false; !seen;) {
    REQUIRE_FALSE(member.port.batches.empty());
    const DiskBatch batch = member.port.batches.front();
    member.port.batches.pop_front();
    member.outcomes[batch.id] = member.storage->on_disk_done(batch.id, member.carry_out(batch));
    seen = batch.id == adopted;
  }
  const Recovered crashed = without();
  CHECK_FALSE(crashed.in_doubt);
  CHECK(crashed.snapshot->zxid == zxid(1, 5));
  CHECK(crashed.log.back().zxid == zxid(1, 6));
  CHECK_FALSE(member.done(waits));

  member.run();
  CHECK(member.files("log.").size() < segments);
  for (int second = 1; second < 5; ++second) {
    member.tend(second * kSecond);
  }
  CHECK(member.done(waits));
  CHECK(member.done(behind));
  const Recovered recovered = member.restart();
  CHECK_FALSE(recovered.in_doubt);
  CHECK(recovered.snapshot->zxid == zxid(1, 5));  // no manifest that waited took it back
  CHECK(recovered.log.back().zxid == zxid(1, 8));
}

TEST_CASE("ShortOfRoomIsTriedAgainEachSecondUntilThereIsSome") {
  Tended member;
  fill_disk(member);
  append(member, zxid(1, 2), kSmall - 200);
  const DiskBatchId waits = append(member, zxid(1, 3), kSmall - 200);
  member.run();
  member.tend(kSecond);
  CHECK(member.storage->next_deadline() == Instant(2 * kSecond));
  give_room(member);
  member.tend(kSecond + milliseconds(999));
  CHECK_FALSE(member.done(waits));
  member.tend(2 * kSecond);
  CHECK(member.done(waits));
  CHECK(member.storage->short_of_room().empty());
  CHECK(member.storage->next_deadline() == kNever);
  CHECK(member.restart().log.back().zxid == zxid(1, 3));
}

TEST_CASE("OnAFullDiskEpochsAreStillWritten") {
  Tended member;
  fill_disk(member);
  for (std::uint32_t epoch = 2; epoch < 40; ++epoch) {
    CAPTURE(epoch);
    const DiskBatchId id = member.storage->save_epochs(Member::kBirth, Epoch{epoch}, Epoch{epoch});
    member.run();
    CHECK(member.done(id));
    member.tend(epoch * kSecond);
  }
  CHECK(member.restart().current_epoch == Epoch{39});
}

TEST_CASE("AnEntryLargerThanASegmentGetsBlocksForAllOfIt") {
  Tended member;
  const DiskBatchId id = append(member, zxid(1, 2), 10 * kSmall);
  member.run();
  CHECK(member.done(id));
  fill_disk(member);
  const DiskBatchId next = append(member, zxid(1, 3), 10 * kSmall);
  member.run();
  CHECK_FALSE(member.done(next));
  CHECK(member.storage->short_of_room().find("bytes are wanted") != std::string::npos);
  give_room(member);
  member.tend(kSecond);
  member.tend(3 * kSecond);
  CHECK(member.done(next));
}

TEST_CASE("TheSegmentThatAStartFindsOpenIsFilledUpBeforeItIsWritten") {
  Tended member;
  const auto logs = member.files("log.");
  member.disk.apply(TrimFile{logs.back()});  // whatever it had
  fill_disk(member);
  REQUIRE(member.try_restart().has_value());  // the old spares go, and give the room
  const DiskBatchId id = append(member, zxid(1, 2), kSmall / 2);
  member.run();
  CHECK(member.done(id));
  CHECK(member.files("log.") == logs);
}

TEST_CASE("ASegmentThatIsClosedGivesBackWhatItDidNotUse") {
  Tended member;
  const std::uint64_t before = member.disk.used();
  for (std::uint32_t epoch = 2; epoch < 12; ++epoch) {
    NewHistory history;
    history.keep_until = epoch == 2 ? zxid(1, 1) : zxid(epoch - 1, 1);
    history.entries = {entry(zxid(epoch, 1))};
    history.birth = Member::kBirth;
    history.accepted_epoch = history.current_epoch = Epoch{epoch};
    member.storage->switch_history(history);
    member.run();
    member.tend(epoch * kSecond);
  }
  CHECK(member.files("log.").size() == 11);
  CHECK(member.disk.used() < before + kSmall);
}

TEST_CASE("SparesCountForNothingAndGoAtTheNextStart") {
  Member member(kSmall);
  member.restart();
  member.tend(milliseconds(0));
  CHECK(member.files(kSparePrefix).size() == 1 + kSpareManifests);
  CHECK(member.restart().fresh);
  CHECK(member.files(kSparePrefix).empty());
}

TEST_CASE("BlocksAheadThatReadAsZerosAreTheLogsEnd") {
  for (std::size_t zeros = 0; zeros < 1100; ++zeros) {
    CAPTURE(zeros);
    Member member;
    member.restart();
    member.grow(1, 2);
    append(member, zxid(1, 3), 235);  // ends a few bytes before a sector does
    member.run();
    REQUIRE(member.disk.bytes_of(member.files("log.").front()).size() % 512 > 464);
    Bytes& file = member.disk.bytes_of(member.files("log.").front());
    file.resize(file.size() + zeros);
    const Recovered recovered = member.restart();
    CHECK_FALSE(recovered.in_doubt);
    CHECK(recovered.log.size() == 3);
    member.storage->append(entries(zxid(1, 4), 1), {}, {});
    member.run();
    CHECK(member.restart().log.size() == 4);
  }
}

TEST_CASE("ALongLifeKeepsFewFiles") {
  Member member(kSmall);
  member.restart();
  member.storage->save_epochs(Member::kBirth, Epoch{1}, Epoch{1});
  std::size_t most = 0;
  for (std::uint64_t i = 1; i <= 400; ++i) {
    append(member, zxid(1, i), 8000);
    member.run();
    if (i % 20 == 0) {
      member.save_snapshot(zxid(1, i), "state", zxid(1, i - 10));
      member.run();
    }
    member.tend(i * milliseconds(10));
    most = std::max(most, member.disk.image().files.size());
  }
  CHECK(most < 24);
  CHECK(member.files("snap.").size() == 1);
  CHECK(member.restart().log.back().zxid == zxid(1, 400));
}

TEST_CASE("D9AFailedSnapshotCostsItsFileAndCanBeTriedAgain") {
  Tended member;
  const std::uint64_t before = member.disk.used();
  fill_disk(member);
  const SnapshotFileId file = member.storage->begin_snapshot(zxid(1, 1));
  member.storage->add_to_snapshot(file, text(std::string(100'000, 's')));
  const DiskBatchId seal = member.storage->seal_snapshot(file);
  member.run();
  CHECK(member.outcomes.at(seal) == DiskOutcome::kSideFailed);
  CHECK_FALSE(member.storage->fenced());
  CHECK(member.storage->add_to_snapshot(file, text("more")) == DiskBatchId{});
  member.storage->drop_snapshot(file);
  member.storage->drop_snapshot(file);
  member.run();
  CHECK(member.files("snap.").empty());
  CHECK(member.disk.used() == before);
  give_room(member);
  member.save_snapshot(zxid(1, 1), "state", zxid(1, 1));
  member.run();
  CHECK(member.restart().snapshot->zxid == zxid(1, 1));
}

TEST_CASE("APartOfASnapshotThatFailsFailsTheWholeWhateverFollows") {
  Tended member;
  const SnapshotFileId file = member.storage->begin_snapshot(zxid(1, 1));
  const DiskBatchId part = member.storage->add_to_snapshot(file, text("one"));
  const DiskBatchId seal = member.storage->seal_snapshot(file);
  for (; !member.port.batches.empty(); member.port.batches.pop_front()) {
    const DiskBatch& batch = member.port.batches.front();
    const Status status =
        batch.id == part ? fail(ErrorCode::kIo, "bad sector") : member.carry_out(batch);
    member.outcomes[batch.id] = member.storage->on_disk_done(batch.id, status);
  }
  CHECK(member.outcomes.at(part) == DiskOutcome::kSideFailed);
  CHECK(member.outcomes.at(seal) == DiskOutcome::kSideFailed);
  CHECK(member.files("snap.").empty());
  CHECK_FALSE(check_failure_of([&] { member.storage->adopt_snapshot(file, {}); }).empty());
}

TEST_CASE("ASnapshotIsSyncedAsItGrows") {
  Tended member;
  const SnapshotFileId file = member.storage->begin_snapshot(zxid(1, 1));
  const auto mib = std::make_shared<const Bytes>(1U << 20U, 's');
  std::size_t syncs = 0;
  for (int i = 0; i < 16; ++i) {
    member.storage->add_to_snapshot(file, mib);
  }
  for (const DiskBatch& batch : member.port.batches) {
    CHECK(batch.lane == DiskLane::kSide);
    syncs += std::holds_alternative<SyncFile>(batch.ops.back()) ? 1 : 0;
  }
  CHECK(syncs == 4);
}

TEST_CASE("ASnapshotNotAdoptedCountsForNothingAndGoesAtTheNextStart") {
  for (const bool sealed : {false, true}) {
    Tended member;
    const SnapshotFileId file = member.storage->begin_snapshot(zxid(1, 1));
    member.storage->add_to_snapshot(file, text("state"));
    if (sealed) {
      member.storage->seal_snapshot(file);
    }
    member.run();
    CHECK(member.files("snap.").size() == 1);
    CHECK_FALSE(member.restart().snapshot.has_value());
    CHECK(member.files("snap.").empty());
  }
}

TEST_CASE("AWipedMemberWithAHalfReceivedSnapshotIsStillFresh") {
  Member member;
  member.restart();
  const SnapshotFileId file = member.storage->begin_snapshot(zxid(3, 1));
  member.storage->add_to_snapshot(file, text("state"));
  member.run();
  CHECK(member.restart().fresh);
  CHECK(member.disk.image().files.empty());
}

}  // namespace ringside::coord
