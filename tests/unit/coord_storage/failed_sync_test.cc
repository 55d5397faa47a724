// What a sync that failed leaves behind: bytes that are read as before and pass for durable.
#include "tests/unit/coord_storage/fixture.h"

namespace ringside::coord {

namespace {

// The append's bytes reach the page cache, and its sync fails.
void fail_the_sync_of_the_next_append(Member& member) {
  const DiskBatch batch = member.next_log_batch();
  REQUIRE(batch.ops.size() == 2);
  member.disk.apply(batch.ops.front());
  member.disk.fail_sync(std::get<SyncFile>(batch.ops.back()).file);
  CHECK(member.storage->on_disk_done(batch.id, fail(ErrorCode::kIo, "the disk")) ==
        DiskOutcome::kFenced);
}

void cut_power(Member& member) {
  member.disk.power_cut(
      {[] { return true; }, [](Bytes& bytes, std::size_t synced) { bytes.resize(synced); }});
}

}  // namespace

TEST_CASE("D9WhatAFailedSyncLeftInMemoryIsWrittenAgainBeforeItCounts") {
  Member member;
  member.restart();
  member.grow(1, 3);
  member.storage->append(entries(zxid(1, 4), 1), {}, {});
  fail_the_sync_of_the_next_append(member);

  CHECK(zxids(member.restart().log).back() == zxid(1, 4));
  cut_power(member);
  const Recovered after = member.restart();
  CHECK(zxids(after.log).back() == zxid(1, 4));
  CHECK_FALSE(after.in_doubt);
}

TEST_CASE("D9WhatAFailedSyncLeftInMemoryMayBeLostBeforeARestart") {
  Member member;
  member.restart();
  member.grow(1, 3);
  member.storage->append(entries(zxid(1, 4), 1), {}, {});
  fail_the_sync_of_the_next_append(member);

  cut_power(member);
  const Recovered after = member.restart();
  CHECK(zxids(after.log).back() == zxid(1, 3));
  CHECK_FALSE(after.in_doubt);  // it was never acknowledged
}

}  // namespace ringside::coord
