#include "coord/registry/snapshot_cursor.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "config/base/check.h"
#include "config/base/crc32c.h"
#include "coord/registry/byte_queue.h"
#include "coord/registry/snapshot_format.h"
#include "coord/registry/state.h"

namespace ringside::coord {

// Nodes and sessions are walked by number. What changes before the walk has come by is copied into
// the queue first and not met again; what is born after the freeze is not in `nodes_`, or is
// `touched_` by its own birth.
struct SnapshotCursor::State final : FrozenReader {
  State(const RegistryState& state, bool scope_only)
      : registry_(&state),
        header_{.scoped = scope_only, .applied = state.applied},
        nodes_(state.tree.slots(scope_only)),
        end_{.nodes = static_cast<std::uint32_t>(nodes_.count()),
             .sessions = scope_only ? 0 : static_cast<std::uint32_t>(state.sessions.size()),
             .secret = scope_only ? RingSecret{} : state.secret,
             .digest = state.digest(scope_only),
             .scope_digest = state.tree.scope_digest()} {
    state.tree.readers().attach(*this);
    put(header_);
  }
  ~State() override { detach(); }

  void before_change(const Node& node) override {
    if (nodes_.contains(node.slot)) {
      put(node);
      nodes_.erase(node.slot);
      ++nodes_put_;
    }
  }

  void before_change(SessionId session) override {
    if (header_.scoped || session <= last_session_ || !touched_.insert(session).second) {
      return;
    }
    const auto& sessions = registry_->sessions;
    if (const auto found = sessions.find(session); found != sessions.end()) {
      put(*found);
      ++sessions_put_;
    }
  }

  void gone() override { registry_ = nullptr; }

  [[nodiscard]] Zxid zxid() const { return header_.applied; }
  [[nodiscard]] bool done() const { return ended_ && queue_.size() == 0; }
  [[nodiscard]] bool broken() const { return !ended_ && registry_ == nullptr; }

  Bytes next(std::size_t bytes) {
    if (broken()) {
      return {};
    }
    bytes = std::max<std::size_t>(bytes, 1);
    while (queue_.size() < bytes && !ended_) {
      put_next();
    }
    return queue_.take(bytes);
  }

 private:
  template <typename Record>
  void put(const Record& record) {
    ByteWriter& out = queue_.writer();
    const std::size_t begin = out.size();
    put_record(out, record);
    check_ = crc32c(out.view().subspan(begin), check_);
    queue_.close_if_large();
  }

  void put_next() {
    if (const auto slot = nodes_.from(next_node_)) {
      put(registry_->tree.at(*slot));
      nodes_.erase(*slot);
      ++nodes_put_;
      next_node_ = *slot;
      return;
    }
    if (!header_.scoped) {
      const auto& sessions = registry_->sessions;
      for (auto at = sessions.upper_bound(last_session_); at != sessions.end(); ++at) {
        last_session_ = at->first;
        if (!touched_.contains(at->first)) {
          put(*at);
          ++sessions_put_;
          return;
        }
      }
    }
    put_end();
  }

  void put_end() {
    CHECK(nodes_put_ == end_.nodes && sessions_put_ == end_.sessions);
    put(end_);
    queue_.writer().u32(check_);
    ended_ = true;
    detach();
  }

  void detach() {
    if (registry_ != nullptr) {
      registry_->tree.readers().detach(*this);
      registry_ = nullptr;
    }
  }

  const RegistryState* registry_;  // null: gone, or all is in the queue
  SnapshotHeader header_;
  SlotSet nodes_;                          // still to give
  Slot next_node_;                         // nothing to give below
  SessionId last_session_;                 // nothing to give up to it
  std::unordered_set<SessionId> touched_;  // above that, and changed since the freeze
  SnapshotEnd end_;
  std::uint32_t nodes_put_ = 0;
  std::uint32_t sessions_put_ = 0;
  ByteQueue queue_;
  std::uint32_t check_ = 0;
  bool ended_ = false;
};

SnapshotCursor::SnapshotCursor(const RegistryState& state, bool scope_only)
    : state_(std::make_unique<State>(state, scope_only)) {}
SnapshotCursor::~SnapshotCursor() = default;

Zxid SnapshotCursor::zxid() const {
  return state_->zxid();
}

bool SnapshotCursor::done() const {
  return state_->done();
}

bool SnapshotCursor::broken() const {
  return state_->broken();
}

Bytes SnapshotCursor::next(std::size_t bytes) {
  return state_->next(bytes);
}

}  // namespace ringside::coord
