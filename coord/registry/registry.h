// The replicated registry: a tree of znodes and the sessions that own the ephemeral ones. Applies
// transactions in order, answers reads, makes and loads snapshots. Pure.
//
// Owned by the driver, on its one thread. Invariants: applied() only grows; one apply is one atomic
// step; a snapshot is the state at exactly applied(), sessions included (D11); digest() depends on
// the state alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/error.h"
#include "coord/registry/stat.h"
#include "coord/registry/txn.h"

namespace ringside::coord {

class SnapshotCursor;
class SnapshotLoader;

enum class ChangeKind { kCreated, kDeleted, kDataChanged };

// One node touched by one transaction; what watches fire on and what sidecar/discovery reads.
struct Change {
  ChangeKind kind = ChangeKind::kCreated;
  std::string path;
};

struct Applied {
  Reply reply;                  // for the origin
  std::vector<Change> changes;  // in order
};

struct ZnodeView {  // valid until the next apply
  std::string_view data;
  Stat stat;
};

struct SessionInfo {
  SessionId id;
  milliseconds timeout{};
  bool closing = false;  // its end has begun: nobody may use it
  MemberId sidecar{};    // where a sidecar opened it; 0: it is another client's
};

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(Registry&&) noexcept;
  Registry& operator=(Registry&&) noexcept;

  // Applies the transaction `zxid`, which must be above applied(). kCorrupt: it does not fit this
  // tree (D13); the registry is then unusable and the member must stop.
  Result<Applied> apply(Zxid zxid, const Txn& txn);

  [[nodiscard]] Zxid applied() const;
  // Loaded from a snapshot of the scope alone, as an observer does: takes scoped() transactions,
  // and shows nothing outside kObserverScope.
  [[nodiscard]] bool scoped() const;
  [[nodiscard]] std::optional<ZnodeView> get(std::string_view path) const;
  // Names (not paths) of the children, sorted; nullopt without the node.
  [[nodiscard]] std::optional<std::vector<std::string>> children(std::string_view path) const;
  [[nodiscard]] std::optional<SessionInfo> session(SessionId id) const;
  [[nodiscard]] std::vector<SessionInfo> sessions() const;
  [[nodiscard]] std::size_t session_count() const;
  // Not on an observer, which does not hold the ring's secret: false and empty there.
  [[nodiscard]] bool has_secret() const;
  [[nodiscard]] bool is_secret_of(SessionId id, ByteView secret) const;  // in constant time
  [[nodiscard]] Bytes secret_of(SessionId id) const;
  [[nodiscard]] std::vector<std::string> ephemerals(SessionId id) const;  // in creation order
  [[nodiscard]] std::size_t znodes() const;

  // Order-independent sum over all nodes and sessions, and over the nodes below scope() alone;
  // O(1).
  [[nodiscard]] std::uint64_t digest() const;
  [[nodiscard]] std::uint64_t scope_digest() const;

  // The state as it is now, to be given out in slices while the registry goes on changing.
  // `scope_only`: only what observers hold (nodes under kObserverScope, no sessions). Null: there
  // are kMaxSnapshotCursors already.
  [[nodiscard]] std::unique_ptr<SnapshotCursor> begin_snapshot(bool scope_only = false) const;
  [[nodiscard]] bool snapshot_may_begin() const;
  // The same in one go, and back. Holds up the caller for as long as the tree is large.
  [[nodiscard]] Bytes snapshot(bool scope_only = false) const;
  static Result<Registry> load(ByteView snapshot);

  // Takes a registry that nobody will use again apart, about `nodes` of it; true: nothing is left.
  // For large ones: a destructor would do it in one go. Breaks its cursors; only dismantle and the
  // destructor may be called after.
  bool dismantle(std::size_t nodes);

 private:
  friend class Preparer;
  friend class SnapshotLoader;
  struct State;
  std::unique_ptr<State> state_;
};

inline constexpr std::string_view kObserverScope = "/ringside";

// The part of a transaction that observers get: ops inside kObserverScope (a closed session keeps
// its ephemerals in scope). nullopt when nothing is left and the origin is not `observer`.
std::optional<Txn> scoped(const Txn& txn, MemberId observer);

// Leader only: turns requests into transactions against the state as it will be once everything
// proposed is applied (the registry plus the changes of proposals still outstanding). A failed
// Multi leaves no trace in the outstanding changes.
class Preparer {
 public:
  // `fresh`: 128 bits that nobody can guess; the ring's secret if it has none yet. `slice_nodes`:
  // 1 .. kCloseSliceNodes.
  Preparer(const Registry& registry, RingSecret fresh, std::size_t slice_nodes = kCloseSliceNodes);
  ~Preparer();

  // `zxid` is the one that the proposal will carry. New session ids come from `session_id`.
  Txn prepare(const Request& request, Origin origin, Zxid zxid, WallTime now,
              const std::function<SessionId()>& session_id);
  // The next step of the end of a session that is closing: a slice, or its last transaction, which
  // answers `origin`. The step before must be applied, or it would be named again.
  Txn continue_closing(SessionId session, Origin origin, Zxid zxid, WallTime now);
  // Whether it may be used once all that is outstanding is applied.
  [[nodiscard]] bool session_open(SessionId id);
  // Everything up to `zxid` is applied to the registry: its outstanding changes are forgotten.
  void applied(Zxid zxid);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringside::coord
