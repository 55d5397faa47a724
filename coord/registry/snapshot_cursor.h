// The state of a registry at one zxid, given out in slices while the registry goes on changing: for
// the disk, for a follower, for an observer. Made by Registry::begin_snapshot, owned by the driver,
// on its one thread.
//
// Invariants: the bytes of all slices, one after the other, are what Registry::snapshot() would
// have given at the freeze (the order of records may differ); a slice costs work in proportion to
// its bytes; it may outlive its registry, and is then broken().
#pragma once

#include <cstddef>
#include <memory>

#include "config/base/bytes.h"
#include "coord/zab/types.h"

namespace ringside::coord {

struct RegistryState;

class SnapshotCursor {
 public:
  SnapshotCursor(const RegistryState& state, bool scope_only);  // for Registry
  ~SnapshotCursor();
  SnapshotCursor(const SnapshotCursor&) = delete;
  SnapshotCursor& operator=(const SnapshotCursor&) = delete;

  [[nodiscard]] Zxid zxid() const;
  [[nodiscard]] bool done() const;  // everything was given out
  // The registry went before all was given out (a snapshot took its place): give up.
  [[nodiscard]] bool broken() const;
  // The next `bytes` (at least 1) of the snapshot, fewer only at its end; empty once done or
  // broken.
  Bytes next(std::size_t bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Cursors of one registry at a time; begin_snapshot gives null beyond.
inline constexpr std::size_t kMaxSnapshotCursors = 16;

}  // namespace ringside::coord
