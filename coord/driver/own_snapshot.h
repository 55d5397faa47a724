// This member's own next snapshot: read from the registry a piece at a time and written beside the
// log, then sealed, then put in force by the manifest. Pure; owned by the driver (transfers.cc).
//
//   writing ─ the last piece given ─▶ sealing ─ on disk ─▶ adopting (log lane) ─ on disk ─▶ done
//
// A precaution: whatever goes wrong before the adoption drops it and costs nothing but another try.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "coord/registry/snapshot_cursor.h"
#include "coord/storage/storage.h"

namespace ringside::coord {

class OwnSnapshot {
 public:
  static constexpr std::size_t kWindowPieces = 4;  // with the disk at a time

  OwnSnapshot(std::unique_ptr<SnapshotCursor> cursor, Storage& storage);

  [[nodiscard]] bool ready() const;
  // Its registry is gone.
  [[nodiscard]] bool broken() const { return stage_ == Stage::kWriting && cursor_->broken(); }
  // Gives the disk one more piece (needs ready()); its size. 0: its file cannot be written.
  std::size_t write(std::size_t bytes);
  // False: the batch is not of this one. `keep_entries_from`: as Storage::adopt_snapshot.
  bool on_disk_done(DiskBatchId id, Zxid keep_entries_from);
  [[nodiscard]] bool waits_for(DiskBatchId id) const;
  [[nodiscard]] bool done() const { return stage_ == Stage::kDone; }
  [[nodiscard]] bool adopting() const { return stage_ == Stage::kAdopting; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] Zxid zxid() const { return zxid_; }
  // Gives it up; not while adopting.
  void drop();

 private:
  enum class Stage { kWriting, kSealing, kAdopting, kDone };

  Storage& storage_;
  std::unique_ptr<SnapshotCursor> cursor_;
  Zxid zxid_;
  SnapshotFileId file_;
  Stage stage_ = Stage::kWriting;
  std::deque<DiskBatchId> writing_;
  DiskBatchId last_step_;  // sealing, adopting
  std::uint64_t bytes_ = 0;
};

}  // namespace ringside::coord
