#include "tests/unit/coord_storage/fixture.h"

namespace ringside::coord {

TEST_CASE("AnEmptyDirectoryIsFreshAndInNoDoubt") {
  Member member;
  const Recovered recovered = member.restart();
  CHECK(recovered.fresh);
  CHECK_FALSE(recovered.in_doubt);
  CHECK(recovered.log.empty());
  CHECK(member.disk.image().files.empty());
}

TEST_CASE("WhatWasAppendedIsRecovered") {
  Member member;
  member.restart();
  member.commit = zxid(1, 2);
  member.grow(1, 5);
  const Recovered recovered = member.restart();
  CHECK_FALSE(recovered.fresh);
  CHECK_FALSE(recovered.in_doubt);
  CHECK(recovered.birth == Member::kBirth);
  CHECK(recovered.accepted_epoch == Epoch{1});
  CHECK(recovered.current_epoch == Epoch{1});
  CHECK(recovered.commit_point == zxid(1, 2));
  REQUIRE(recovered.log.size() == 5);
  CHECK(recovered.log.back().zxid == zxid(1, 5));
  CHECK(*recovered.log.back().txn == *entry(zxid(1, 5)).txn);
}

TEST_CASE("AppendsGoOnAfterARestart") {
  Member member;
  member.restart();
  member.grow(1, 3);
  for (std::uint64_t i = 4; i < 8; ++i) {
    member.restart();
    member.storage->append(entries(zxid(1, i), 1), {}, {});
    member.run();
  }
  CHECK(member.restart().log.size() == 7);
  CHECK(member.files("log.").size() == 1);
}

TEST_CASE("AFullSegmentIsFollowedByANewOne") {
  Member member(200);
  member.restart();
  member.grow(1, 20);
  CHECK(member.files("log.").size() > 3);
  CHECK(zxids(member.restart().log) == zxids(entries(zxid(1, 1), 20)));
}

TEST_CASE("D4AcceptedEpochIsDurableWhenItsBatchIsDone") {
  Member member;
  member.restart();
  member.storage->save_epochs(Member::kBirth, Epoch{9}, Epoch{0});
  member.run();
  member.disk.power_cut(
      {[] { return false; }, [](Bytes& bytes, std::size_t synced) { bytes.resize(synced); }});
  CHECK(member.restart().accepted_epoch == Epoch{9});
}

TEST_CASE("D4EpochsNeverFall") {
  Member member;
  member.restart();
  member.grow(3, 1);
  CHECK_FALSE(check_failure_of([&] {
                member.storage->save_epochs(Member::kBirth, Epoch{2}, Epoch{2});
              }).empty());
  CHECK_FALSE(check_failure_of([&] {
                member.storage->save_epochs(Member::kBirth, Epoch{3}, Epoch{4});
              }).empty());
}

TEST_CASE("D16AMemberThatOnlyPromisedIsStillFresh") {
  Member member;
  member.restart();
  member.storage->save_epochs(Member::kBirth, Epoch{9}, Epoch{0});
  member.run();
  CHECK(member.restart().fresh);
}

TEST_CASE("D5AppendRejectsAGap") {
  Member member;
  member.restart();
  member.grow(2, 3);
  for (const Zxid bad : {zxid(2, 5), zxid(2, 3), zxid(1, 4), zxid(3, 2)}) {
    CAPTURE(bad.to_string());
    CHECK_FALSE(check_failure_of([&] { member.storage->append(entries(bad, 1), {}, {}); }).empty());
  }
  member.storage->append(entries(zxid(2, 4), 1), {}, {});
  member.storage->save_epochs(Member::kBirth, Epoch{3}, Epoch{3});
  member.storage->append(entries(zxid(3, 1), 1), {}, {});
  member.run();
  CHECK(member.restart().log.size() == 5);
}

TEST_CASE("D2OneAppendIsOneBatchThatEndsInItsSync") {
  Member member;
  member.restart();
  member.grow(1, 1);
  const DiskBatchId id = member.storage->append(entries(zxid(1, 2), 10), {}, {});
  REQUIRE(member.port.batches.size() == 1);
  CHECK(member.port.batches.front().id == id);
  REQUIRE(member.port.batches.front().ops.size() == 2);
  CHECK(std::holds_alternative<WriteAt>(member.port.batches.front().ops[0]));
  CHECK(std::holds_alternative<SyncFile>(member.port.batches.front().ops[1]));
}

NewHistory history_of(std::uint32_t epoch) {
  NewHistory history;
  history.birth = Member::kBirth;
  history.accepted_epoch = Epoch{epoch};
  history.current_epoch = Epoch{epoch};
  return history;
}

TEST_CASE("D3ASwitchSetsHistoryAndBothEpochsTogether") {
  Member member;
  member.restart();
  member.grow(1, 5);
  NewHistory history = history_of(2);
  history.keep_until = zxid(1, 3);
  history.entries = {entry(zxid(2, 1)), entry(zxid(2, 2))};
  history.commit_point = zxid(2, 1);
  member.storage->switch_history(history);
  member.run();
  const Recovered recovered = member.restart();
  CHECK(recovered.accepted_epoch == Epoch{2});
  CHECK(recovered.current_epoch == Epoch{2});
  CHECK(recovered.commit_point == zxid(2, 1));
  CHECK(zxids(recovered.log) ==
        std::vector{zxid(1, 1), zxid(1, 2), zxid(1, 3), zxid(2, 1), zxid(2, 2)});
}

TEST_CASE("D7TruncationInsideARecordHolds") {
  for (std::uint64_t keep = 1; keep <= 12; ++keep) {
    CAPTURE(keep);
    Member member(150);
    member.restart();
    member.grow(1, 12, 5);
    NewHistory history = history_of(2);
    history.keep_until = zxid(1, keep);
    member.storage->switch_history(history);
    member.run();
    CHECK(zxids(member.restart().log) == zxids(entries(zxid(1, 1), keep)));
    member.storage->append(entries(zxid(2, 1), 3), {}, {});
    member.run();
    const Recovered recovered = member.restart();
    CHECK_FALSE(recovered.in_doubt);
    REQUIRE(recovered.log.size() == keep + 3);
    CHECK(recovered.log.back().zxid == zxid(2, 3));
  }
}

TEST_CASE("D7TruncationCanTakeTheWholeLog") {
  Member member;
  member.restart();
  member.grow(1, 3);
  member.storage->switch_history(history_of(2));
  member.run();
  CHECK(member.restart().log.empty());
  CHECK(member.files("log.").empty());
}

TEST_CASE("D7TruncationBelowTheCommitPointIsRefused") {
  Member member;
  member.restart();
  member.commit = zxid(1, 3);
  member.grow(1, 5);
  NewHistory history = history_of(2);
  history.keep_until = zxid(1, 2);
  CHECK(check_failure_of([&] { member.storage->switch_history(history); }).find("keep_until") !=
        std::string::npos);
}

TEST_CASE("D6NothingOfASwitchCountsBeforeItsManifest") {
  Member member;
  member.restart();
  member.grow(1, 5);
  NewHistory history = history_of(2);
  history.snapshot = member.write_snapshot(zxid(2, 7), "state");
  history.entries = entries(zxid(2, 8), 2);
  member.storage->switch_history(history);
  for (const DiskOp& op : member.next_log_batch().ops) {
    const auto* rename = std::get_if<RenameFile>(&op);
    if (rename != nullptr && rename->to == "manifest") {
      break;
    }
    member.disk.apply(op);
  }
  const Recovered recovered = member.restart();
  CHECK(recovered.current_epoch == Epoch{1});
  CHECK_FALSE(recovered.snapshot.has_value());
  CHECK(recovered.log.size() == 5);
  CHECK(member.files("snap.").empty());  // tidied away
  CHECK(member.files("log.").size() == 1);
}

TEST_CASE("ASnapFromTheLeaderReplacesEverything") {
  Member member;
  member.restart();
  member.grow(1, 5);
  NewHistory history = history_of(2);
  history.snapshot = member.write_snapshot(zxid(2, 7), "state");
  history.entries = entries(zxid(2, 8), 2);
  history.commit_point = zxid(2, 8);
  member.storage->switch_history(history);
  member.run();
  const Recovered recovered = member.restart();
  REQUIRE(recovered.snapshot.has_value());
  CHECK(recovered.snapshot->zxid == zxid(2, 7));
  CHECK(*recovered.snapshot->bytes == *text("state"));
  CHECK(zxids(recovered.log) == std::vector{zxid(2, 8), zxid(2, 9)});
  CHECK(member.files("log.").size() == 1);
}

TEST_CASE("D11ASnapshotIsTheBaseAndTheLogBehindItStays") {
  Member member(150);
  member.restart();
  member.grow(1, 20);
  CHECK(member.storage->log_bytes() > 0);
  const std::size_t segments = member.files("log.").size();
  member.save_snapshot(zxid(1, 15), "at 15", zxid(1, 10));
  const std::uint64_t left = member.storage->log_bytes();
  CHECK(left > 0);  // 16 to 20
  member.run();
  CHECK(member.files("log.").size() < segments);
  const Recovered recovered = member.restart();
  CHECK(member.storage->log_bytes() == left);
  CHECK_FALSE(recovered.in_doubt);
  REQUIRE(recovered.snapshot.has_value());
  CHECK(recovered.snapshot->zxid == zxid(1, 15));
  CHECK(recovered.commit_point == zxid(1, 15));
  CHECK(recovered.log.front().zxid <= zxid(1, 10));
  CHECK(recovered.log.back().zxid == zxid(1, 20));
}

TEST_CASE("TheOldSnapshotGoesOnlyAfterTheNewManifest") {
  Member member;
  member.restart();
  member.grow(1, 4);
  member.save_snapshot(zxid(1, 2), "two", zxid(1, 3));
  member.run();
  member.save_snapshot(zxid(1, 4), "four", zxid(1, 5));
  CHECK(member.files("snap.").size() == 2);
  for (const DiskOp& op : member.next_log_batch().ops) {
    CHECK_FALSE(std::holds_alternative<RemoveFile>(op));
  }
  member.run();
  CHECK(member.files("snap.").size() == 1);
  CHECK(member.restart().snapshot->zxid == zxid(1, 4));
}

TEST_CASE("TruncationToASnapshotWhoseLogIsPurgedHolds") {
  Member member;
  member.restart();
  member.grow(1, 4);
  member.save_snapshot(zxid(1, 4), "four", zxid(1, 5));
  member.storage->append(entries(zxid(1, 5), 2), {}, {});
  NewHistory history = history_of(2);
  history.keep_until = zxid(1, 4);
  member.storage->switch_history(history);
  member.run();
  const Recovered recovered = member.restart();
  CHECK_FALSE(recovered.in_doubt);
  CHECK(recovered.snapshot->zxid == zxid(1, 4));
  CHECK(recovered.log.back().zxid == zxid(1, 4));
}

TEST_CASE("D9AfterAFailedBatchNothingIsSubmittedAgain") {
  Member member;
  member.restart();
  member.grow(1, 1);
  const DiskBatchId id = member.storage->append(entries(zxid(1, 2), 1), {}, {});
  member.port.batches.clear();
  member.storage->on_disk_done(id, fail(ErrorCode::kIo, "no space"));
  CHECK(member.storage->fenced());
  CHECK(member.storage->append(entries(zxid(1, 3), 1), {}, {}) == DiskBatchId{});
  CHECK(member.storage->save_epochs(Member::kBirth, Epoch{5}, Epoch{5}) == DiskBatchId{});
  CHECK(member.storage->switch_history(history_of(5)) == DiskBatchId{});
  CHECK(member.storage->begin_snapshot(zxid(1, 1)) == SnapshotFileId{});
  CHECK(member.port.batches.empty());
}

TEST_CASE("AnEntryOfTheGreatestRequestIsKept") {
  Member member;
  member.restart();
  member.grow(1, 1);
  Entry big{zxid(1, 2), std::make_shared<const Bytes>((2U << 20U) + 4096, 'x')};
  member.storage->append(std::span(&big, 1), {}, {});
  member.run();
  CHECK(*member.restart().log.back().txn == *big.txn);
}

TEST_CASE("AnotherRingsOrMembersDirectoryIsRefused") {
  Member member;
  member.restart();
  member.grow(1, 1);
  member.options.ring_name = "other";
  CHECK(member.try_restart().error().code == ErrorCode::kRefused);
  member.options.ring_name = "ring";
  member.options.member = MemberId{2};
  CHECK(member.try_restart().error().code == ErrorCode::kRefused);
}

TEST_CASE("ForeignFilesAreLeftAlone") {
  Member member;
  for (const char* name : {"lock", "log.txt", "view-1", "snapshots", "spare.x"}) {
    member.disk.apply(CreateFile{name});
  }
  member.disk.apply(SyncDirectory{});
  CHECK(member.restart().fresh);
  member.grow(1, 1);
  member.restart();
  for (const char* name : {"lock", "log.txt", "view-1", "snapshots", "spare.x"}) {
    CHECK(member.disk.has(name));
  }
}

TEST_CASE("LogBytesCountWhatCameWhileTheSnapshotWasWritten") {
  Member member;
  member.restart();
  member.grow(1, 4);
  const std::uint64_t each = member.storage->log_bytes() / 4;
  const SnapshotFileId file = member.storage->begin_snapshot(zxid(1, 4));
  member.storage->append(entries(zxid(1, 5), 1), {}, {});
  member.storage->add_to_snapshot(file, text("four"));
  member.storage->append(entries(zxid(1, 6), 1), {}, {});
  member.storage->seal_snapshot(file);
  member.run();
  CHECK(member.storage->log_bytes() == 6 * each);
  member.storage->adopt_snapshot(file, zxid(1, 5));
  CHECK(member.storage->log_bytes() == 2 * each);
  // What a truncation takes away is no log any more.
  NewHistory shorter = history_of(2);
  shorter.keep_until = zxid(1, 5);
  member.storage->switch_history(shorter);
  member.run();
  CHECK(member.storage->log_bytes() == each);
  member.restart();
  CHECK(member.storage->log_bytes() == each);
}

TEST_CASE("LogBytesCountWhatFollowsTheSnapshotAfterARestartToo") {
  Member member;
  member.restart();
  member.grow(1, 4);
  member.save_snapshot(zxid(1, 4), "four", zxid(1, 1));
  member.run();
  member.storage->append(entries(zxid(1, 5), 1), {}, {});
  member.run();
  const std::uint64_t before = member.storage->log_bytes();
  CHECK(before > 0);
  member.restart();
  CHECK(member.storage->log_bytes() == before);
}

}  // namespace ringside::coord
