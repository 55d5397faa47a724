// Does a transaction fit this tree: everything that apply relies on, before it changes anything
// (D13).
#include <fmt/format.h>

#include "coord/registry/path.h"
#include "coord/registry/pending.h"
#include "coord/registry/sequence.h"

namespace ringside::coord {
namespace {

class Fit {
 public:
  explicit Fit(const RegistryState& state) : pending_(state), scoped_(state.scoped) {}

  // An empty string, or what does not fit.
  std::string operator()(const TxnCreateNode& op) const {
    if (!legal(op.path) || op.path == "/" || op.data.size() > kMaxDataBytes) {
      return fmt::format("a node cannot be made at {:?}", op.path);
    }
    if (pending_.node(op.path).exists) {
      return fmt::format("{} is there already", op.path);
    }
    const std::string_view above = parent_path(op.path);
    if (scoped_ && !in_scope(above)) {
      return {};  // the parent is not held
    }
    const PendingNode parent = pending_.node(above);
    if (!parent.exists || parent.owner) {
      return fmt::format("{} has no parent that may have children", op.path);
    }
    if (op.parent_cversion != next_creates(parent.creates)) {
      return fmt::format("{} has made {} children, the transaction says {} with this one", above,
                         parent.creates, op.parent_cversion);
    }
    if (op.ephemeral_owner && !scoped_ &&
        pending_.session(op.ephemeral_owner) != PendingSession::kOpen) {
      return fmt::format("{} belongs to session {:#x}, which is not open", op.path,
                         op.ephemeral_owner.value);
    }
    return {};
  }

  std::string operator()(const TxnDeleteNode& op) const {
    const PendingNode node = pending_.node(op.path);
    if (op.path == "/" || !legal(op.path) || !node.exists || node.children != 0) {
      return fmt::format("{:?} is not there, or has children", op.path);
    }
    return {};
  }

  std::string operator()(const TxnSetData& op) const {
    const PendingNode node = pending_.node(op.path);
    if (!legal(op.path) || !node.exists || op.data.size() > kMaxDataBytes) {
      return fmt::format("{:?} is not there", op.path);
    }
    if (op.version != next_version(node.version)) {
      return fmt::format("{} has version {}, the transaction makes it {}", op.path, node.version,
                         op.version);
    }
    return {};
  }

  std::string operator()(const TxnCreateSession& op) const {
    if (!op.session || op.timeout <= milliseconds{0} || op.timeout > kMaxSessionTimeout ||
        pending_.session(op.session) != PendingSession::kNone) {
      return fmt::format("session {:#x} cannot be made", op.session.value);
    }
    if (!scoped_ && (!pending_.secret() ||
                     !same_secret(op.secret, session_secret(pending_.secret(), op.session)))) {
      return fmt::format("session {:#x} has another secret", op.session.value);
    }
    return {};
  }

  std::string operator()(const TxnSetSecret& op) const {
    return scoped_ || !op.secret || pending_.secret() ? "the ring's secret is set" : "";
  }

  std::string operator()(const TxnCloseSession& op) const {
    // One more than named, if it has one: then they differ.
    return ends(op.session, op.ephemerals, op.ephemerals.size() + 1);
  }

  std::string operator()(const TxnCloseSlice& op) const {
    return ends(op.session, op.ephemerals, op.ephemerals.size());
  }

  void add(const TxnOp& op, Zxid zxid) { pending_.add(op, zxid); }

 private:
  [[nodiscard]] std::string ends(SessionId session, const std::vector<std::string>& named,
                                 std::size_t looked_at) const {
    if (!scoped_ && pending_.session(session) == PendingSession::kNone) {
      return fmt::format("session {:#x} is not there", session.value);
    }
    if (named != pending_.ephemerals(session, looked_at)) {
      return fmt::format("session {:#x} has other ephemeral nodes than the {} named", session.value,
                         named.size());
    }
    return {};
  }

  // Paths of transactions come from outside; a scoped feed has nothing else.
  [[nodiscard]] bool legal(std::string_view path) const {
    return valid_path(path) && (!scoped_ || in_scope(path));
  }

  Pending pending_;
  bool scoped_;
};

}  // namespace

Status check_fit(const RegistryState& state, Zxid zxid, const Txn& txn) {
  const auto misfit = [zxid](std::string why) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("transaction {} does not fit this tree: {}", zxid.to_string(), why));
  };
  if (zxid <= state.applied) {
    return misfit(fmt::format("{} is applied already", state.applied.to_string()));
  }
  if (txn.error != ZkError::kOk && !txn.ops.empty()) {
    return misfit("it failed and yet has operations");
  }
  Fit fit(state);
  for (std::size_t i = 0; i < txn.ops.size(); ++i) {
    std::string why = std::visit(fit, txn.ops[i]);
    if (!why.empty()) {
      return misfit(fmt::format("operation {}: {}", i, why));
    }
    if (i + 1 < txn.ops.size()) {
      fit.add(txn.ops[i], zxid);
    }
  }
  return {};
}

}  // namespace ringside::coord
