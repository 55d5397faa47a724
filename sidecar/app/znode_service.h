// Carries out what the admin port asks of the registry (/v1/znode/PATH).
//
// Owned by App, on the control loop's thread; time comes as an argument. A read is answered from
// what is applied here, a linearizable one after a sync, a write by the ring. What the ring cannot
// take now for want of a leader or of a session waits until its deadline: it was surely not done.
// What was under way when the leader was lost is answered at once: its outcome is unknown, and only
// the caller knows whether it may be repeated.
// Invariants: 1. each call is answered exactly once, at its deadline at the latest (given tick());
// 2. at most kMaxPending of them wait; 3. a write is submitted again only
// after an answer that says that nothing was done.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "sidecar/admin/znode_call.h"
#include "sidecar/discovery/registry_client.h"
#include "sidecar/discovery/session_keeper.h"

namespace ringside::app {

class ZnodeService {
 public:
  static constexpr std::size_t kMaxPending = 64;
  using Answered = std::function<void(admin::ZnodeAnswer)>;

  // Ephemeral znodes are the keeper's session's.
  ZnodeService(discovery::RegistryClient& client, discovery::SessionKeeper& keeper)
      : client_(client), keeper_(keeper) {}

  void ask(Instant now, admin::ZnodeCall call, Answered answered);
  // The ring or the session has moved: who waits may go on. Nothing to do costs nothing.
  void moved(Instant now);
  // Also ends what is too late; call every 50 ms while something is pending().
  void tick(Instant now);
  [[nodiscard]] std::size_t pending() const { return pending_.size(); }

 private:
  struct Pending;
  using PendingPtr = std::shared_ptr<Pending>;

  void go_on(Instant now);
  void attempt(const PendingPtr& pending);
  void submit(const PendingPtr& pending);
  void replied(const PendingPtr& pending, const coord::Reply& reply);
  // True: an answer that says that nothing was done, and there is another way.
  bool another_way(Pending& pending, const coord::Reply& reply);
  void finish(Pending& pending, admin::ZnodeAnswer answer);
  [[nodiscard]] admin::ZnodeAnswer read(const admin::ZnodeCall& call) const;

  discovery::RegistryClient& client_;
  discovery::SessionKeeper& keeper_;
  std::vector<PendingPtr> pending_;
  Instant now_{};
};

}  // namespace ringside::app
