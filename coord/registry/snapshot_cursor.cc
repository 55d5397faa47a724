#include "coord/registry/snapshot_cursor.h"

#include <algorithm>

#include "coord/registry/state.h"

namespace ringside::coord {

struct SnapshotCursor::State {
  Zxid zxid;
  Bytes bytes;
  std::size_t given = 0;
  std::shared_ptr<const bool> gone;
};

SnapshotCursor::SnapshotCursor(const RegistryState& state, bool scope_only)
    : state_(std::make_unique<State>()) {
  state_->zxid = state.applied;
  state_->bytes = save_state(state, scope_only);
  state_->gone = state.life.gone;
}

SnapshotCursor::~SnapshotCursor() = default;

Zxid SnapshotCursor::zxid() const {
  return state_->zxid;
}

bool SnapshotCursor::done() const {
  return state_->given == state_->bytes.size();
}

bool SnapshotCursor::broken() const {
  return !done() && *state_->gone;
}

Bytes SnapshotCursor::next(std::size_t bytes) {
  if (broken()) {
    return {};
  }
  const ByteView rest = ByteView(state_->bytes).subspan(state_->given);
  const ByteView part = rest.first(std::min(bytes, rest.size()));
  state_->given += part.size();
  return {part.begin(), part.end()};
}

}  // namespace ringside::coord
