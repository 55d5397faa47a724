// Builds a registry from the bytes of a snapshot as they come, in slices. Used by the driver for
// what peers send and by recovery for what the disk holds; one owner, one thread.
//
// The bytes are untrusted: every length is bounded, nothing is believed before it is checked, and
// memory grows with what has come, never by what a number says. After an error every further call
// gives the same one.
#pragma once

#include <cstddef>
#include <memory>

#include "config/base/bytes.h"
#include "config/base/error.h"
#include "coord/registry/registry.h"

namespace ringside::coord {

class SnapshotLoader {
 public:
  SnapshotLoader();
  ~SnapshotLoader();
  SnapshotLoader(SnapshotLoader&&) noexcept;
  SnapshotLoader& operator=(SnapshotLoader&&) noexcept;

  // The next bytes, divided as it pleases the caller; costs work in proportion to them. kCorrupt:
  // this is no snapshot; kUnsupported: one of another format.
  Status add(ByteView bytes);
  // After the last byte, until it gives true: works on about `nodes` nodes. True: whole, and its
  // digests are right. kCorrupt: bytes are missing, or it describes no tree.
  Result<bool> finish(std::size_t nodes);
  // The registry, once finish() gave true. Before that it is half made, good for
  // Registry::dismantle alone.
  Registry take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringside::coord
