// Election phase of a looking voter: agrees with a quorum on whom to follow. An oracle only: safety
// rests on discovery, which compares logs and epochs again. Pure; owned by Zab for as long as the
// member looks with its log at rest.
//
//   begin: tell everybody, ask everybody
//     │ each notification, link change, tick: consider()
//     ├─ somebody leads (established first) ─────────────▶ decided: join it
//     ├─ a voter with a link has not answered, and less than election_timeout passed ─▶ wait
//     ├─ my choice = best credentials of those without a leader; changed ─▶ tell everybody
//     └─ a quorum (Tally) chose the same ────────────────▶ decided
//
// Deviations from ZooKeeper's fast leader election: no rounds and no gossip (voters are fully
// linked, a notification always tells the sender's present state, and a link keeps order), and no
// fixed wait at the end. Pre-vote is inherent: a member that follows a living leader answers so and
// is no part of any quorum of looking ones, and no epoch is raised before a quorum follows.
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "coord/zab/core.h"

namespace ringside::coord {

class Election {
 public:
  // `hold_until`: before that it only joins an established leader (an attempt has just failed).
  Election(Core& core, Instant hold_until);

  // Looks at everything known; sets decided() when it can.
  void consider();
  void on_tick();
  [[nodiscard]] std::optional<MemberId> decided() const { return decided_; }
  [[nodiscard]] Instant deadline() const {
    return hold_until_ > core_.now ? std::min(hold_until_, next_tick_) : next_tick_;
  }
  // For a person: what is missing.
  [[nodiscard]] std::string waiting_for() const;
  [[nodiscard]] Notification notification(bool wants_answer) const;

 private:
  [[nodiscard]] std::optional<MemberId> somebody_leads() const;
  [[nodiscard]] bool all_answered() const;
  [[nodiscard]] bool everybody_takes_part() const;
  [[nodiscard]] MemberId best_choice() const;
  [[nodiscard]] bool enough_take_part() const;
  [[nodiscard]] Tally support_for(MemberId choice) const;
  void tell(bool wants_answer);

  Core& core_;
  Instant began_;
  Instant hold_until_;
  Instant next_tick_;
  Instant choice_since_;
  MemberId choice_;
  std::optional<MemberId> decided_;
  // Choices that found no quorum within election_timeout: voters that I reach and others do not.
  std::set<MemberId> passed_over_;
};

}  // namespace ringside::coord
