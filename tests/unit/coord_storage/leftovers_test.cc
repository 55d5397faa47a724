#include "coord/storage/recovery.h"
#include "tests/unit/coord_storage/fixture.h"

namespace ringside::coord {

// Two lanes side by side: what recover() lets the side lane remove must not be what the log's lane
// is writing.
TEST_CASE("ALeftoverManifestTempIsNotRemovedUnderTheNextManifest") {
  Member member;
  member.restart();
  member.grow(1, 2);
  member.disk.apply(CreateFile{kManifestTemp});  // killed while it wrote a manifest
  REQUIRE(member.try_restart().has_value());
  member.storage->save_epochs(Member::kBirth, Epoch{2}, Epoch{1});
  std::deque<DiskBatch> log;
  std::deque<DiskBatch> side;
  const auto sort = [&] {
    for (; !member.port.batches.empty(); member.port.batches.pop_front()) {
      (member.port.batches.front().lane == DiskLane::kLog ? log : side)
          .push_back(member.port.batches.front());
    }
  };
  const auto finish = [&](std::deque<DiskBatch>& lane) {
    const DiskBatch batch = lane.front();
    lane.pop_front();
    const Status status = member.carry_out(batch);
    member.storage->on_disk_done(batch.id, status);
    sort();
  };
  sort();
  finish(log);  // the sync of recover(); what is not needed may go now
  while (log.empty()) {
    finish(side);  // until a spare for the manifest is there
  }
  REQUIRE(log.size() == 1);
  const DiskBatch epochs = log.front();
  // The log's lane is in the middle of its batch...
  member.disk.apply(epochs.ops.at(0));
  member.disk.apply(epochs.ops.at(1));
  while (!side.empty()) {
    finish(side);  // ...when the side lane carries out what it has
  }
  for (std::size_t i = 2; i < epochs.ops.size(); ++i) {
    CHECK_NOTHROW(member.disk.apply(epochs.ops.at(i)));
  }
}

}  // namespace ringside::coord
