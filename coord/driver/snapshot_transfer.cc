#include "coord/driver/snapshot_transfer.h"

#include <algorithm>
#include <utility>

namespace ringside::coord {

std::vector<SnapshotChunk> split_snapshot(Zxid zxid, ByteView bytes) {
  std::vector<SnapshotChunk> chunks;
  std::size_t offset = 0;
  do {
    const ByteView part =
        bytes.subspan(offset, std::min(kSnapshotChunkBytes, bytes.size() - offset));
    chunks.push_back({zxid, bytes.size(), offset, Bytes(part.begin(), part.end())});
    offset += part.size();
  } while (offset < bytes.size());
  return chunks;
}

Result<std::optional<SnapshotData>> SnapshotReceiver::add(SnapshotChunk chunk) {
  if (chunk.offset == 0) {  // a new one; what an earlier attachment left unfinished goes
    zxid_ = chunk.zxid;
    total_bytes_ = chunk.total_bytes;
    bytes_.clear();
  }
  if (chunk.zxid != zxid_ || chunk.total_bytes != total_bytes_ || chunk.offset != bytes_.size()) {
    return fail(ErrorCode::kInvalid, "snapshot chunks that do not fit together");
  }
  bytes_.insert(bytes_.end(), chunk.bytes.begin(), chunk.bytes.end());
  if (bytes_.size() < total_bytes_) {
    return std::nullopt;
  }
  return SnapshotData{zxid_, std::make_shared<const Bytes>(std::exchange(bytes_, {}))};
}

}  // namespace ringside::coord
