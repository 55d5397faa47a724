#include "coord/driver/own_snapshot.h"

#include <utility>

#include "config/base/check.h"

namespace ringside::coord {

OwnSnapshot::OwnSnapshot(std::unique_ptr<SnapshotCursor> cursor, Storage& storage)
    : storage_(storage),
      cursor_(std::move(cursor)),
      zxid_(cursor_->zxid()),
      file_(storage.begin_snapshot(zxid_)) {}

bool OwnSnapshot::ready() const {
  return stage_ == Stage::kWriting && !cursor_->broken() && writing_.size() < kWindowPieces;
}

std::size_t OwnSnapshot::write(std::size_t bytes) {
  CHECK(ready());
  auto piece = std::make_shared<const Bytes>(cursor_->next(bytes));
  const std::size_t size = piece->size();
  const DiskBatchId batch = storage_.add_to_snapshot(file_, std::move(piece));
  if (!batch) {
    return 0;
  }
  bytes_ += size;
  writing_.push_back(batch);
  if (cursor_->done()) {
    cursor_.reset();
    stage_ = Stage::kSealing;
    last_step_ = storage_.seal_snapshot(file_);
  }
  return size;
}

bool OwnSnapshot::waits_for(DiskBatchId id) const {
  const bool stepping = stage_ == Stage::kSealing || stage_ == Stage::kAdopting;
  return (stepping && last_step_ == id) || (!writing_.empty() && writing_.front() == id);
}

bool OwnSnapshot::on_disk_done(DiskBatchId id, Zxid keep_entries_from) {
  if (!waits_for(id)) {
    return false;
  }
  if (!writing_.empty() && writing_.front() == id) {
    writing_.pop_front();
  } else if (stage_ == Stage::kSealing) {
    stage_ = Stage::kAdopting;
    last_step_ = storage_.adopt_snapshot(file_, keep_entries_from);
  } else {
    stage_ = Stage::kDone;
  }
  return true;
}

void OwnSnapshot::drop() {
  CHECK(stage_ == Stage::kWriting || stage_ == Stage::kSealing);
  storage_.drop_snapshot(file_);
  stage_ = Stage::kDone;
}

}  // namespace ringside::coord
