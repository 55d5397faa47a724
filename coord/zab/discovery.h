// Discovery phase of a leader-elect: collects what its followers promised before, fixes the new
// epoch above all of it, and collects the promises to it. Pure bookkeeping, owned by Leading
// (leading.h), which sends and persists.
//
//   collecting ── quorum of FollowerInfo ──▶ promising ── quorum of AckEpoch ──▶ done
//        └────────────── an acker has a better log (DSN'11, phase 1) ──▶ give up
//
// All are asked while the leader's own promise is still on its way to the disk. Asking binds
// nobody: an epoch begins with a quorum of durable promises to it, a voter's promise to an epoch
// counts once, and any two quorums share a voter. So an epoch that was asked for and forgotten in a
// crash may be asked for again, by anybody.
//
// Rules: the new epoch is above every accepted one (D4), and at most kMaxEpoch (D18); a birth id is
// drawn only when every voter answers and none holds a transaction (D17); voters in doubt count
// only when all are there (D16).
#pragma once

#include <map>
#include <optional>

#include "config/base/error.h"
#include "coord/zab/core.h"

namespace ringside::coord {

class Discovery {
 public:
  explicit Discovery(const Core& core) : core_(core) {}

  void add_info(MemberId from, const FollowerInfo& info);
  void add_promise(MemberId from, const AckEpoch& ack);
  void own_promise() { own_promised_ = true; }
  void remove(MemberId from);

  [[nodiscard]] bool has_quorum_of_infos() const;
  // The epoch to propose: needs has_quorum_of_infos(). An error when the epochs are used up.
  [[nodiscard]] Result<Epoch> new_epoch() const;
  // The ring's birth id, drawn now if there was none. An error when it must not be born.
  Result<BirthId> birth(Rng& rng) const;

  // The leader's own among them: it must not begin an epoch that it would not remember.
  [[nodiscard]] bool has_quorum_of_promises() const;
  // A follower whose log beats the leader's own among those that count for its quorum.
  [[nodiscard]] std::optional<MemberId> better_follower() const;

 private:
  struct Follower {
    FollowerInfo info;
    bool promised = false;
  };
  [[nodiscard]] Tally infos() const;
  [[nodiscard]] Tally promises() const;

  const Core& core_;
  std::map<MemberId, Follower> followers_;
  bool own_promised_ = false;
};

}  // namespace ringside::coord
