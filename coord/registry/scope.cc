// What observers get of a transaction.
#include <utility>

#include "coord/registry/path.h"
#include "coord/registry/registry.h"

namespace ringside::coord {
namespace {

std::vector<std::string> in_scope_of(const std::vector<std::string>& paths) {
  std::vector<std::string> kept;
  for (const std::string& path : paths) {
    if (in_scope(path)) {
      kept.push_back(path);
    }
  }
  return kept;
}

// nullopt: nothing of it is for this observer.
struct ScopedOp {
  bool asked;  // the observer waits for the answer

  std::optional<TxnOp> operator()(const TxnCloseSession& op) const {
    TxnCloseSession kept{op.session, in_scope_of(op.ephemerals)};
    if (kept.ephemerals.empty() && !asked) {
      return std::nullopt;
    }
    return kept;
  }
  std::optional<TxnOp> operator()(const TxnCreateSession& op) const {
    return asked ? std::optional<TxnOp>(op) : std::nullopt;  // for the id that it is told
  }
  std::optional<TxnOp> operator()(const TxnCloseSlice& op) const {
    TxnCloseSlice kept{op.session, in_scope_of(op.ephemerals)};
    return kept.ephemerals.empty() ? std::nullopt : std::optional<TxnOp>(std::move(kept));
  }
  std::optional<TxnOp> operator()(const TxnSetSecret&) const { return std::nullopt; }
  template <typename OnePath>
  std::optional<TxnOp> operator()(const OnePath& op) const {
    return in_scope(op.path) ? std::optional<TxnOp>(op) : std::nullopt;
  }
};

}  // namespace

std::optional<Txn> scoped(const Txn& txn, MemberId observer) {
  const bool asked = observer && txn.origin.member == observer;
  Txn kept;
  for (const TxnOp& op : txn.ops) {
    if (auto part = std::visit(ScopedOp{asked}, op)) {
      kept.ops.push_back(std::move(*part));
    }
  }
  if (kept.ops.empty() && !asked) {
    return std::nullopt;
  }
  kept.origin = txn.origin;
  kept.session = txn.session;
  kept.time = txn.time;
  kept.error = txn.error;
  if (asked) {
    kept.results = txn.results;
  }
  return kept;
}

}  // namespace ringside::coord
