#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include "config/base/check.h"
#include "coord/registry/path.h"
#include "coord/registry/pending.h"
#include "coord/registry/sequence.h"

namespace ringside::coord {
namespace {

constexpr int kSessionIdDraws = 16;

// Turns the operations of one Multi into those of a transaction, in the draft of `pending`. Checks
// come in ZooKeeper's order (coordination facts 4.3).
class MultiBuilder {
 public:
  MultiBuilder(Pending& pending, SessionId session, Zxid zxid, Txn& txn)
      : pending_(pending), session_(session), zxid_(zxid), txn_(txn) {}

  ZkError operator()(const Create& create) {
    const bool sequential = create.mode == CreateMode::kPersistentSequential ||
                            create.mode == CreateMode::kEphemeralSequential;
    const bool ephemeral =
        create.mode == CreateMode::kEphemeral || create.mode == CreateMode::kEphemeralSequential;
    // A sequential name may be the number alone, so what is checked is the name as it will look.
    const std::string shape = sequential ? create.path + sequence_suffix(0) : create.path;
    if (!valid_path(shape) || (ephemeral && !session_)) {
      return ZkError::kBadArguments;
    }
    if (shape == "/") {
      return ZkError::kNodeExists;
    }
    const std::string_view above = parent_path(shape);
    if (create.make_parents) {
      if (const ZkError error = make(above); error != ZkError::kOk) {
        return error;
      }
    }
    const PendingNode parent = pending_.node(above);
    if (!parent.exists) {
      return ZkError::kNoNode;
    }
    if (sequential && parent.creates == kLastCreates) {
      return ZkError::kBadArguments;  // refused rather than wrapped
    }
    TxnCreateNode op;
    op.path = sequential ? create.path + sequence_suffix(parent.creates) : create.path;
    op.data = create.data;
    op.ephemeral_owner = ephemeral ? session_ : SessionId{};
    return add_create(std::move(op), parent);
  }

  ZkError operator()(const Delete& remove) {
    if (!valid_path(remove.path) || remove.path == "/") {
      return ZkError::kBadArguments;
    }
    const PendingNode node = pending_.node(remove.path);
    if (!node.exists) {
      return remove.missing_is_ok ? ZkError::kOk : ZkError::kNoNode;
    }
    if (!matches(remove.version, node.version)) {
      return ZkError::kBadVersion;
    }
    if (node.children != 0) {
      return ZkError::kNotEmpty;
    }
    return add(TxnDeleteNode{remove.path});
  }

  ZkError operator()(const SetData& set) {
    const ZkError error = (*this)(CheckVersion{set.path, set.version});
    if (error != ZkError::kOk) {
      return error;
    }
    path_ = set.path;
    return add(TxnSetData{set.path, set.data, next_version(pending_.node(set.path).version)});
  }

  ZkError operator()(const CheckVersion& check) {
    if (!valid_path(check.path)) {
      return ZkError::kBadArguments;
    }
    const PendingNode node = pending_.node(check.path);
    if (!node.exists) {
      return ZkError::kNoNode;
    }
    return matches(check.version, node.version) ? ZkError::kOk : ZkError::kBadVersion;
  }

  // OpResult::path of the operation just built.
  std::string take_path() { return std::exchange(path_, {}); }

 private:
  static bool matches(std::int32_t expected, std::int32_t version) {
    return expected == kAnyVersion || expected == version;
  }

  // Makes what is missing of a path, from the top.
  ZkError make(std::string_view path) {
    for (std::size_t end = 1; end <= path.size(); ++end) {
      if (end < path.size() && path[end] != '/') {
        continue;
      }
      const std::string_view part = path.substr(0, end);
      if (part == "/" || pending_.node(part).exists) {
        continue;
      }
      const PendingNode parent = pending_.node(parent_path(part));
      TxnCreateNode op;
      op.path = part;
      if (const ZkError error = add_create(std::move(op), parent); error != ZkError::kOk) {
        return error;
      }
    }
    return ZkError::kOk;
  }

  ZkError add_create(TxnCreateNode op, const PendingNode& parent) {
    if (pending_.node(op.path).exists) {
      return ZkError::kNodeExists;
    }
    if (parent.owner) {
      return ZkError::kNoChildrenForEphemerals;
    }
    op.parent_cversion = next_creates(parent.creates);
    path_ = op.path;
    return add(std::move(op));
  }

  ZkError add(TxnOp op) {
    if (txn_.ops.size() == kMaxTxnOps) {
      return ZkError::kBadArguments;
    }
    pending_.add(op, zxid_);
    txn_.ops.push_back(std::move(op));
    return ZkError::kOk;
  }

  Pending& pending_;
  SessionId session_;
  Zxid zxid_;
  Txn& txn_;
  std::string path_;
};

void prepare_multi(Pending& pending, const Multi& multi, SessionId session, Zxid zxid, Txn& txn) {
  MultiBuilder build(pending, session, zxid, txn);
  for (std::size_t i = 0; i < multi.ops.size(); ++i) {
    txn.error = std::visit(build, multi.ops[i]);
    if (txn.error != ZkError::kOk) {
      // What clients of ZooKeeper see of a failed multi (coordination facts 4.3).
      txn.ops.clear();
      txn.results.assign(multi.ops.size(), OpResult{});
      txn.results[i].error = txn.error;
      for (std::size_t later = i + 1; later < multi.ops.size(); ++later) {
        txn.results[later].error = ZkError::kRuntimeInconsistency;
      }
      return;
    }
    txn.results.push_back(OpResult{.error = ZkError::kOk, .path = build.take_path(), .stat = {}});
  }
}

void prepare_session(Pending& pending, const CreateSession& create, RingSecret fresh,
                     const std::function<SessionId()>& session_id, Zxid zxid, Txn& txn) {
  if (!pending.secret()) {
    txn.ops.emplace_back(TxnSetSecret{fresh});
    pending.add(txn.ops.back(), zxid);
  }
  for (int draw = 0; draw < kSessionIdDraws; ++draw) {
    const SessionId id = session_id();
    if (id && pending.session(id) == PendingSession::kNone) {
      txn.ops.emplace_back(TxnCreateSession{id, create.timeout,
                                            create.sidecar ? txn.origin.member : MemberId{},
                                            session_secret(pending.secret(), id)});
      pending.add(txn.ops.back(), zxid);
      return;
    }
  }
  txn.ops.clear();
  txn.error = ZkError::kSystemError;
}

// The oldest ephemerals, as many as one transaction may take away. True: there are no more.
bool next_slice(const Pending& pending, SessionId session, std::size_t most,
                std::vector<std::string>& slice) {
  slice = pending.ephemerals(session, most + 1);
  std::size_t count = 0;
  for (std::size_t bytes = 0; count < std::min(slice.size(), most); ++count) {
    bytes += slice[count].size();
    if (bytes > kCloseSliceBytes && count > 0) {
      break;
    }
  }
  const bool last = count == slice.size();
  slice.resize(count);
  return last;
}

// A close of more than one slice marks the session closing and takes nothing yet: however many
// sessions end at once, each costs little until its turn comes. Nobody hears of that step.
void prepare_close(Pending& pending, SessionId session, std::size_t slice_nodes, Zxid zxid,
                   Txn& txn) {
  TxnCloseSession close{session, {}};
  if (next_slice(pending, session, slice_nodes, close.ephemerals)) {
    txn.ops.emplace_back(std::move(close));
  } else {
    txn.ops.emplace_back(TxnCloseSlice{session, {}});
    txn.origin = {};
  }
  pending.add(txn.ops.back(), zxid);
}

}  // namespace

struct Preparer::State {
  State(const Registry& source, RingSecret secret, std::size_t most)
      : registry(&source), pending(*source.state_), fresh(secret), slice_nodes(most) {}

  Pending& rebased() {
    pending.rebase(*registry->state_);
    return pending;
  }

  const Registry* registry;
  Pending pending;
  RingSecret fresh;
  std::size_t slice_nodes;
};

Preparer::Preparer(const Registry& registry, RingSecret fresh, std::size_t slice_nodes)
    : state_(std::make_unique<State>(registry, fresh, slice_nodes)) {
  CHECK(fresh && slice_nodes > 0 && slice_nodes <= kCloseSliceNodes);
}
Preparer::~Preparer() = default;

Txn Preparer::prepare(const Request& request, Origin origin, Zxid zxid, WallTime now,
                      const std::function<SessionId()>& session_id) {
  Pending& pending = state_->rebased();
  Txn txn;
  txn.origin = origin;
  txn.session = request.session;
  txn.time = now;
  const bool needs_session = request.session || std::holds_alternative<CloseSession>(request.what);
  if (needs_session && pending.session(request.session) != PendingSession::kOpen) {
    txn.error = ZkError::kSessionExpired;
    return txn;
  }
  if (!within_bounds(request)) {
    txn.error = ZkError::kBadArguments;
    return txn;
  }
  std::visit(
      [&](const auto& what) {
        using What = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<What, Multi>) {
          prepare_multi(pending, what, request.session, zxid, txn);
        } else if constexpr (std::is_same_v<What, CreateSession>) {
          prepare_session(pending, what, state_->fresh, session_id, zxid, txn);
        } else if constexpr (std::is_same_v<What, CloseSession>) {
          prepare_close(pending, request.session, state_->slice_nodes, zxid, txn);
        }
      },
      request.what);
  if (txn.error == ZkError::kOk) {
    pending.keep(zxid);
  } else {
    pending.drop();
  }
  return txn;
}

Txn Preparer::continue_closing(SessionId session, Origin origin, Zxid zxid, WallTime now) {
  Pending& pending = state_->rebased();
  CHECK(pending.session(session) == PendingSession::kClosing);
  Txn txn;
  txn.session = session;
  txn.time = now;
  std::vector<std::string> slice;
  if (next_slice(pending, session, state_->slice_nodes, slice)) {
    txn.origin = origin;
    txn.ops.emplace_back(TxnCloseSession{session, std::move(slice)});
  } else {
    txn.ops.emplace_back(TxnCloseSlice{session, std::move(slice)});
  }
  pending.add(txn.ops.back(), zxid);
  pending.keep(zxid);
  return txn;
}

bool Preparer::session_open(SessionId id) {
  return state_->rebased().session(id) == PendingSession::kOpen;
}

void Preparer::applied(Zxid zxid) {
  state_->pending.forget(zxid);
}

}  // namespace ringside::coord
