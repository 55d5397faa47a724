#include "coord/zab/election.h"

#include <fmt/format.h>

#include <algorithm>

namespace ringside::coord {

namespace {

// Serves under no leader, and its log is at rest. One that has decided already, and follows or
// leads without a quorum yet, takes part like those that still look: the choice must not depend on
// who was a moment faster.
bool takes_part(const Peer& peer) {
  return peer.said && !peer.said->established &&
         (peer.said->role != Role::kLooking || peer.said->ready);
}

}  // namespace

Election::Election(Core& core, Instant hold_until)
    : core_(core), began_(core.now), hold_until_(hold_until), choice_since_(core.now) {
  for (auto& [id, peer] : core_.peers) {
    peer.answered = false;
    if (peer.said && peer.said->role == Role::kLooking && (peer.said->ready || peer.said->aside)) {
      peer.answered = true;  // its word stands until it says otherwise
    }
  }
  choice_ = best_choice();
  tell(true);
}

Notification Election::notification(bool wants_answer) const {
  return {.role = Role::kLooking,
          .ready = true,
          .own = core_.credentials(),
          .vote = choice_,
          .reign = {},
          .established = false,
          .in_doubt = core_.in_doubt,
          .wants_answer = wants_answer,
          .aside = false};
}

void Election::tell(bool wants_answer) {
  core_.notify_all(notification(wants_answer));
  // Random, so that members that look together do not speak together.
  const auto beat = core_.options.heartbeat_interval;
  next_tick_ = core_.now + beat + microseconds(core_.rng.between(0, microseconds(beat).count()));
}

std::optional<MemberId> Election::somebody_leads() const {
  std::optional<MemberId> leader;
  Epoch reign;
  for (const auto& [id, peer] : core_.peers) {
    if (!peer.said || peer.said->role != Role::kLeading) {
      continue;
    }
    const Epoch theirs = peer.said->established ? peer.said->reign : Epoch{};
    if (!leader || theirs > reign) {
      leader = id;
      reign = theirs;
    }
  }
  return leader;
}

bool Election::all_answered() const {
  return std::ranges::all_of(core_.peers, [this](const auto& entry) {
    const Peer& peer = entry.second;
    return peer.answered ||
           core_.now >= std::max(began_, peer.up_since) + core_.options.election_timeout;
  });
}

bool Election::everybody_takes_part() const {
  return core_.peers.size() + 1 == core_.voters() &&
         std::ranges::all_of(core_.peers,
                             [](const auto& entry) { return takes_part(entry.second); });
}

MemberId Election::best_choice() const {
  const bool everybody = everybody_takes_part();
  std::optional<Credentials> best;
  const auto offer = [&](const Credentials& own, bool in_doubt) {
    if ((!in_doubt || everybody) && !passed_over_.contains(own.id) && (!best || own > *best)) {
      best = own;
    }
  };
  offer(core_.credentials(), core_.in_doubt);
  for (const auto& [id, peer] : core_.peers) {
    if (takes_part(peer)) {
      offer(peer.said->own, peer.said->in_doubt);
    }
  }
  return best ? best->id : MemberId{};
}

Tally Election::support_for(MemberId choice) const {
  Tally tally(core_.voters());
  tally.add(core_.in_doubt);
  for (const auto& [id, peer] : core_.peers) {
    if (takes_part(peer) && peer.said->vote == choice) {
      tally.add(peer.said->in_doubt);
    }
  }
  return tally;
}

void Election::consider() {
  decided_.reset();
  const std::optional<MemberId> leads = somebody_leads();
  if (leads && (core_.now >= hold_until_ || core_.peers.at(*leads).said->established)) {
    decided_ = leads;
    return;
  }
  // Whom a quorum wants is reached by it after all; everybody else has come round already.
  std::erase_if(passed_over_, [this](MemberId id) { return support_for(id).sufficient(); });
  const MemberId best = best_choice();
  if (best != choice_) {
    choice_ = best;
    choice_since_ = core_.now;
    tell(false);
  }
  if (choice_ && core_.now >= hold_until_ && all_answered() && support_for(choice_).sufficient()) {
    decided_ = choice_;
  }
}

bool Election::enough_take_part() const {
  Tally tally(core_.voters());
  tally.add(core_.in_doubt);
  for (const auto& [id, peer] : core_.peers) {
    if (takes_part(peer)) {
      tally.add(peer.said->in_doubt);
    }
  }
  return tally.sufficient();
}

void Election::on_tick() {
  if (!enough_take_part()) {
    // What is missing is voters, not another choice: passing over would only make members disagree
    // by the time that the missing ones come.
    passed_over_.clear();
    choice_since_ = core_.now;
  }
  const bool stuck = core_.now >= choice_since_ + core_.options.election_timeout && all_answered();
  if (stuck && choice_) {
    passed_over_.insert(choice_);
    choice_since_ = core_.now;
    if (!best_choice()) {
      passed_over_.clear();
    }
  }
  if (core_.now >= next_tick_) {
    tell(true);
  }
  consider();
}

std::string Election::waiting_for() const {
  std::string missing;
  for (const MemberId voter : core_.options.voters) {
    const auto found = core_.peers.find(voter);
    const bool known = found != core_.peers.end() && found->second.said;
    const bool aside = known && found->second.said->aside;
    const bool here = voter == core_.options.self ||
                      (found != core_.peers.end() && found->second.answered && !aside);
    if (!here) {
      missing += fmt::format("{}{}{}", missing.empty() ? "" : ", ", voter.value,
                             aside ? " (no room on its disk)" : "");
    }
  }
  if (core_.in_doubt) {
    return missing.empty()
               ? "a leader, as this member's own log cannot be trusted alone"
               : fmt::format(
                     "voters {} (this member's own log is new or damaged, so it takes all "
                     "voters, or a leader elected without it)",
                     missing);
  }
  if (!missing.empty()) {
    return fmt::format("a majority of {} voters; no word from {}", core_.voters(), missing);
  }
  return "the voters to agree on a leader";
}

}  // namespace ringside::coord
