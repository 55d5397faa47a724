// What a Registry is made of; seen inside coord/registry only. One owner, one thread.
#pragma once

#include <map>

#include "config/base/error.h"
#include "coord/registry/data_tree.h"
#include "coord/registry/registry.h"
#include "coord/registry/session_record.h"

namespace ringside::coord {

struct RegistryState {
  DataTree tree;
  std::map<SessionId, SessionRecord> sessions;  // none when scoped
  RingSecret secret;                            // none when scoped
  std::uint64_t session_digest = 0;
  Zxid applied;
  // Holds kObserverScope alone. The root is then only a place to hang it on: it has no times and
  // counts of its own, belongs to no digest and is not shown.
  bool scoped = false;

  // Of the whole, or of what an observer holds.
  [[nodiscard]] std::uint64_t digest(bool scope_only) const {
    return scope_only ? tree.scope_digest() : tree.digest() + session_digest + hash_secret(secret);
  }
};

struct Registry::State : RegistryState {};

// Whether the transaction may be applied to this state; an error says which operation does not fit
// and why.
Status check_fit(const RegistryState& state, Zxid zxid, const Txn& txn);

}  // namespace ringside::coord
