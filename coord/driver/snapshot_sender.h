// A snapshot on its way to one follower or observer: read from the registry a piece at a time, and
// no more under way than the receiver has room for. Pure; owned by the driver (transfers.cc), one
// for each receiver.
//
//   sending ─ the last chunk left ─▶ waiting ─ it is acknowledged ─▶ taken()
//
// The receiver acknowledges a chunk once it has read it in and, on a voter, has it on disk; the
// last one once the whole is loaded, checked and sealed.
#pragma once

#include <cstdint>
#include <memory>

#include "config/base/error.h"
#include "config/base/time.h"
#include "coord/registry/snapshot_cursor.h"
#include "coord/zab/messages.h"

namespace ringside::coord {

class SnapshotSender {
 public:
  // So many chunks are under way at most.
  static constexpr std::size_t kWindowChunks = 8;

  SnapshotSender(std::unique_ptr<SnapshotCursor> cursor, std::uint64_t run, std::size_t chunk_bytes,
                 Instant now);

  [[nodiscard]] std::uint64_t run() const { return run_; }
  // The tree that it reads is gone: it never ends.
  [[nodiscard]] bool broken() const { return cursor_->broken(); }
  // A chunk may leave.
  [[nodiscard]] bool ready() const;
  // Needs ready().
  SnapshotChunk next(Instant now);
  // An error: what was never sent.
  Status acknowledged(const SnapshotAck& ack, Instant now);
  [[nodiscard]] bool taken() const { return all_sent_ && acknowledged_ == sent_; }
  // Since when it has waited for the receiver.
  [[nodiscard]] Instant moved_at() const { return moved_at_; }

 private:
  std::unique_ptr<SnapshotCursor> cursor_;
  std::uint64_t run_;
  std::size_t chunk_bytes_;
  std::uint64_t sent_ = 0;
  std::uint64_t acknowledged_ = 0;
  bool all_sent_ = false;
  Instant moved_at_;
};

}  // namespace ringside::coord
