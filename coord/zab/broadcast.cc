#include "coord/zab/broadcast.h"

#include <fmt/format.h>

#include <algorithm>

#include "coord/mutant.h"

namespace ringside::coord {

Zxid committed(const Core& core, const Followers& followers) {
  std::vector<Zxid> reached{core.durable()};
  for (const auto& [id, follower] : followers) {
    if (follower.stage == FollowerStage::kSynced) {
      reached.push_back(follower.acked);
    }
  }
  return reached_by_majority(std::move(reached), core.voters());
}

Instant quorum_heard(const Core& core, const Followers& followers, bool synced_only) {
  std::vector<Instant> heard{core.now};
  for (const auto& [id, follower] : followers) {
    if (!synced_only || follower.stage == FollowerStage::kSynced) {
      heard.push_back(follower.heard);
    }
  }
  return heard_from_majority(std::move(heard), core.voters());
}

std::uint64_t quorum_round(const Core& core, const Followers& followers, std::uint64_t own_round) {
  std::vector<std::uint64_t> rounds{own_round};
  for (const auto& [id, follower] : followers) {
    if (follower.stage == FollowerStage::kSynced) {
      rounds.push_back(follower.round);
    }
  }
  return confirmed_by_majority(std::move(rounds), core.voters());
}

Tally synced(const Core& core, const Followers& followers) {
  Tally tally(core.voters());
  tally.add(false);  // its own history is what the epoch begins with
  const auto enough =
      mutated(Mutant::kD8EstablishedTooEarly) ? FollowerStage::kSyncing : FollowerStage::kSynced;
  for (const auto& [id, follower] : followers) {
    if (follower.stage >= enough) {
      tally.add(follower.in_doubt);
    }
  }
  return tally;
}

bool may_be_synchronized(const Core& core, const Followers& followers,
                         const FollowerState& follower) {
  if (!follower.in_doubt || mutated(Mutant::kD16WipedVoterHelps)) {
    return true;
  }
  Tally still_here(core.voters());
  still_here.add(core.in_doubt);
  for (const auto& [id, other] : followers) {
    if (other.round >= follower.came_before_round) {
      still_here.add(other.in_doubt);
    }
  }
  return still_here.sufficient();
}

std::optional<Zxid> held_from(const Followers& followers) {
  std::optional<Zxid> held;
  for (const auto& [id, follower] : followers) {
    if (holds_history(follower)) {
      held = std::min(held.value_or(follower.fed), follower.fed);
    }
  }
  return held;
}

std::optional<std::string> too_slow(const Core& core, const FollowerState& follower) {
  if (core.now - follower.heard > core.options.election_timeout) {
    return fmt::format("silent for {} ms",
                       std::chrono::duration_cast<milliseconds>(core.now - follower.heard).count());
  }
  std::size_t entries = 0;
  std::uint64_t bytes = 0;
  if (follower.stage == FollowerStage::kSynced) {
    entries = core.history.entries_after(follower.acked);
    bytes = core.history.bytes_after(follower.acked);
  } else if (holds_history(follower) && follower.fed < core.applied) {
    // What is not applied is in memory anyway.
    entries = core.history.entries_after(follower.fed) - core.history.entries_after(core.applied);
    bytes = core.history.bytes_after(follower.fed) - core.history.bytes_after(core.applied);
  }
  if (entries > core.options.max_lag_entries || bytes > core.options.max_lag_bytes) {
    return fmt::format("{} transactions ({} bytes) behind", entries, bytes);
  }
  return std::nullopt;
}

}  // namespace ringside::coord
