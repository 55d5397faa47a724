// A registry snapshot in chunks of kSnapshotChunkBytes. Pure; both ends are the driver's.
//
// The receiver takes no memory on the word of a total: it grows by what has come.
#pragma once

#include <optional>
#include <vector>

#include "config/base/error.h"
#include "coord/codec/peer_message.h"

namespace ringside::coord {

std::vector<SnapshotChunk> split_snapshot(Zxid zxid, ByteView bytes);

class SnapshotReceiver {
 public:
  // The whole snapshot once its last chunk is in. An error: chunks that do not fit together.
  Result<std::optional<SnapshotData>> add(SnapshotChunk chunk);

 private:
  Zxid zxid_;
  std::uint64_t total_bytes_ = 0;
  Bytes bytes_;
};

}  // namespace ringside::coord
