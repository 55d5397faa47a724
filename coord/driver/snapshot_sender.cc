#include "coord/driver/snapshot_sender.h"

#include <utility>

#include "config/base/check.h"

namespace ringside::coord {

SnapshotSender::SnapshotSender(std::unique_ptr<SnapshotCursor> cursor, std::uint64_t run,
                               std::size_t chunk_bytes, Instant now)
    : cursor_(std::move(cursor)), run_(run), chunk_bytes_(chunk_bytes), moved_at_(now) {}

bool SnapshotSender::ready() const {
  return !all_sent_ && !broken() && sent_ - acknowledged_ < kWindowChunks * chunk_bytes_;
}

SnapshotChunk SnapshotSender::next(Instant now) {
  CHECK(ready());
  SnapshotChunk chunk;
  chunk.zxid = cursor_->zxid();
  chunk.offset = sent_;
  chunk.bytes = cursor_->next(chunk_bytes_);
  chunk.last = cursor_->done();
  CHECK(!chunk.bytes.empty());
  all_sent_ = chunk.last;
  sent_ += chunk.bytes.size();
  moved_at_ = now;
  return chunk;
}

Status SnapshotSender::acknowledged(const SnapshotAck& ack, Instant now) {
  if (ack.zxid != cursor_->zxid() || ack.offset > sent_) {
    return fail(ErrorCode::kInvalid, "it acknowledges a snapshot that was never sent");
  }
  if (ack.offset > acknowledged_) {
    acknowledged_ = ack.offset;
    moved_at_ = now;
  }
  return {};
}

}  // namespace ringside::coord
