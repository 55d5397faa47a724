// Synchronization phase: what the leader sends to make a follower's history equal to its own, and
// where the follower keeps it until it is whole. Pure; plan_sync() is called by Leading, Staging is
// owned by Following.
//
//   follower's last zxid against the leader's history        mode
//   ------------------------------------------------------   -----------------------------------
//   in it                                                    DIFF: the entries after it
//   not in it, but some earlier one is                       TRUNC to the last common one, then
//                                                            the entries after that
//   nothing in common with what the leader still holds       SNAP: the registry at the leader's
//                                                            applied zxid, then the entries after
//
// The measure is the leader's last *logged* zxid: a new leader leads with its whole log, committed
// or not (D14); from an established one the entries are its committed prefix and the proposals
// outstanding, in order. NEWLEADER comes strictly last (ZooKeeper's ZK-3104): after a snapshot that
// the follower said it holds as a whole, and entries given a part in each turn. Unlike ZooKeeper, a
// TRUNC may cross epochs: the ends of the follower's epochs tell exactly where the logs part.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/base/error.h"
#include "coord/zab/history.h"
#include "coord/zab/messages.h"

namespace ringside::coord {

struct SyncPlan {
  SyncMode mode = SyncMode::kDiff;
  Zxid keep_until;  // kSnap: where the snapshot stands; the entries after it follow
};
SyncPlan plan_sync(const History& leader, Zxid leader_applied, Zxid follower_last,
                   std::span<const Zxid> follower_ends);

// Entries in one message, about.
inline constexpr std::uint64_t kMaxEntriesBytes = 1 << 20;
inline constexpr std::size_t kMaxEntries = 10'000;
// Entries as messages of bounded size.
std::vector<std::vector<Entry>> split_entries(std::vector<Entry> entries);

// A history under way, in memory; nothing of it counts before NEWLEADER (D6).
class Staging {
 public:
  // Errors are violations by the leader.
  Status start(const SyncStart& start, const History& own, Zxid own_commit);
  Status add_snapshot(const SnapshotData& snapshot);
  Status add_entries(std::vector<Entry> entries);
  // Whole, as the leader says it is?
  [[nodiscard]] Status check(const NewLeader& message, const History& own) const;

  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] bool wants_snapshot() const {
    return started_ && mode_ == SyncMode::kSnap && !snapshot_;
  }
  [[nodiscard]] Zxid last() const { return last_; }
  [[nodiscard]] Zxid keep_until() const { return keep_until_; }
  [[nodiscard]] const std::optional<SnapshotData>& snapshot() const { return snapshot_; }
  std::vector<Entry> take_entries() { return std::move(entries_); }

 private:
  [[nodiscard]] bool covers(Zxid zxid, const History& own) const;

  bool started_ = false;
  SyncMode mode_ = SyncMode::kDiff;
  Zxid keep_until_;
  Zxid last_;
  std::optional<SnapshotData> snapshot_;
  std::vector<Entry> entries_;
};

}  // namespace ringside::coord
