// What a Registry is made of; seen inside coord/registry only. One owner, one thread.
#pragma once

#include <map>
#include <memory>

#include "config/base/error.h"
#include "coord/registry/data_tree.h"
#include "coord/registry/registry.h"
#include "coord/registry/session_record.h"

namespace ringside::coord {

// What cursors look at to see whether their registry is still there.
struct Life {
  Life() = default;
  ~Life() { *gone = true; }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  std::shared_ptr<bool> gone = std::make_shared<bool>(false);
};

struct RegistryState {
  Life life;
  DataTree tree;
  std::map<SessionId, SessionRecord> sessions;  // none when scoped
  RingSecret secret;                            // none when scoped
  std::uint64_t session_digest = 0;
  Zxid applied;
  // Holds kObserverScope alone. The root is then only a place to hang it on: it has no times and
  // counts of its own, belongs to no digest and is not shown.
  bool scoped = false;
};

struct Registry::State : RegistryState {};

Bytes save_state(const RegistryState& state, bool scope_only);
// Into a fresh state. An error leaves it half made.
Status load_state(RegistryState& state, ByteView snapshot);

// Whether the transaction may be applied to this state; an error says which operation does not fit
// and why.
Status check_fit(const RegistryState& state, Zxid zxid, const Txn& txn);

}  // namespace ringside::coord
