// Broadcast phase, the leader's books: how far each follower has acknowledged, what is therefore
// committed, who has been heard and who lags too far. Pure; owned by Leading, which sends.
//
// Commit rule (DSN'11): a zxid is committed once more than half of the voters have it durable, the
// leader's own disk counted like any other. Only followers that acknowledged NEWLEADER count (D2,
// D8), and nothing is committed before the leader is established.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coord/zab/core.h"

namespace ringside::coord {

enum class FollowerStage {
  kAttached,  // FollowerInfo came
  kAsked,     // LeaderInfo sent
  kPromised,  // AckEpoch came
  kSnapshot,  // takes in a snapshot
  kFeeding,   // gets the entries of its history, a part in each turn
  kSyncing,   // history and NEWLEADER sent; gets proposals
  kSynced,    // NEWLEADER acknowledged
};

struct FollowerState {
  std::uint64_t run = 0;
  FollowerStage stage = FollowerStage::kAttached;
  bool in_doubt = false;
  std::uint64_t came_before_round = 0;  // the first heartbeat round that began after it attached
  Zxid last;                            // as of AckEpoch
  std::vector<Zxid> ends;               // as of AckEpoch
  Zxid fed;                             // it keeps, or was sent, everything up to here
  Zxid acked;
  Zxid applied;  // as of its last heartbeat reply
  Zxid routed;   // the most that it has said in this attachment
  Instant heard{};
  std::uint64_t round = 0;  // latest heartbeat round answered
};
using Followers = std::map<MemberId, FollowerState>;

// What more than half of the voters have durable.
Zxid committed(const Core& core, const Followers& followers);
// Since when more than half of the voters have been heard, this member included.
Instant quorum_heard(const Core& core, const Followers& followers, bool synced_only);
// The latest heartbeat round that more than half of the voters answered.
std::uint64_t quorum_round(const Core& core, const Followers& followers, std::uint64_t own_round);
// Members whose NEWLEADER acknowledgements are in, the leader's own included.
Tally synced(const Core& core, const Followers& followers);
// D16: whether this one may be given a history. One in doubt may have forgotten that it serves a
// later epoch, and a history heals its doubt: so first those that suffice without it (or everybody)
// must have answered a heartbeat that left after it had come, and follow this leader still.
[[nodiscard]] bool may_be_synchronized(const Core& core, const Followers& followers,
                                       const FollowerState& follower);
// It gets the history from `fed` on, so that must stay in memory.
[[nodiscard]] inline bool holds_history(const FollowerState& follower) {
  return follower.stage == FollowerStage::kSnapshot || follower.stage == FollowerStage::kFeeding;
}
// Where the earliest such follower stands.
std::optional<Zxid> held_from(const Followers& followers);
// Why this follower must be dropped back to synchronization, if it must: it is silent, too far
// behind, or too much is kept in memory for the end of its snapshot.
std::optional<std::string> too_slow(const Core& core, const FollowerState& follower);

}  // namespace ringside::coord
