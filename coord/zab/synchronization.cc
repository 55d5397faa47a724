#include "coord/zab/synchronization.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "coord/mutant.h"

namespace ringside::coord {

SyncPlan plan_sync(const History& leader, Zxid leader_applied, Zxid follower_last,
                   std::span<const Zxid> follower_ends) {
  SyncPlan plan;
  const std::optional<Zxid> common = leader.common_with(follower_ends);
  if (common) {
    plan.mode = *common == follower_last ? SyncMode::kDiff : SyncMode::kTrunc;
    plan.keep_until = *common;
  } else {
    plan.mode = SyncMode::kSnap;
    plan.keep_until = leader_applied;
  }
  if (mutated(Mutant::kZk4352NothingMeansAll) && !common) {
    plan = {SyncMode::kDiff, follower_last};
  }
  return plan;
}

std::vector<std::vector<Entry>> split_entries(std::vector<Entry> entries) {
  std::vector<std::vector<Entry>> parts;
  std::uint64_t bytes = kMaxEntriesBytes;
  for (Entry& entry : entries) {
    if (bytes >= kMaxEntriesBytes) {
      parts.emplace_back();
      bytes = 0;
    }
    bytes += entry.txn->size() + sizeof(Zxid);
    parts.back().push_back(std::move(entry));
  }
  return parts;
}

Status Staging::start(const SyncStart& start, const History& own, Zxid own_commit) {
  *this = Staging{};
  started_ = true;
  mode_ = start.mode;
  keep_until_ = start.keep_until;
  last_ = start.keep_until;
  if (mode_ == SyncMode::kSnap) {
    return {};
  }
  if (keep_until_ < own_commit) {  // D7
    return fail(ErrorCode::kRefused, fmt::format("truncation to {}, below the commit point {}",
                                                 keep_until_.to_string(), own_commit.to_string()));
  }
  if (!own.contains(keep_until_)) {
    return fail(ErrorCode::kInvalid, fmt::format("synchronization from {}, which is not in the log",
                                                 keep_until_.to_string()));
  }
  return {};
}

Status Staging::add_snapshot(const SnapshotData& snapshot) {
  if (mode_ != SyncMode::kSnap || snapshot_ || snapshot.zxid != keep_until_ || !entries_.empty()) {
    return fail(ErrorCode::kInvalid, "a snapshot that was not announced");
  }
  snapshot_ = snapshot;
  return {};
}

Status Staging::add_entries(std::vector<Entry> entries) {
  if (mode_ == SyncMode::kSnap && !snapshot_) {
    return fail(ErrorCode::kInvalid, "entries before the snapshot they follow");
  }
  for (const Entry& entry : entries) {
    if (!entry.zxid.follows(last_)) {  // D5
      return fail(ErrorCode::kInvalid, fmt::format("a gap in synchronization: {} after {}",
                                                   entry.zxid.to_string(), last_.to_string()));
    }
    last_ = entry.zxid;
  }
  entries_.insert(entries_.end(), std::make_move_iterator(entries.begin()),
                  std::make_move_iterator(entries.end()));
  return {};
}

// Of the history that it makes together with what is kept of one's own.
bool Staging::covers(Zxid zxid, const History& own) const {
  if (zxid <= keep_until_) {
    return zxid == keep_until_ || mode_ == SyncMode::kSnap || own.covers(zxid);
  }
  return std::ranges::binary_search(entries_, zxid, {}, &Entry::zxid);
}

Status Staging::check(const NewLeader& message, const History& own) const {
  if (!started_ || (mode_ == SyncMode::kSnap && !snapshot_)) {
    return fail(ErrorCode::kInvalid, "NEWLEADER before the history it closes");
  }
  if (last_.epoch() > message.epoch) {
    return fail(ErrorCode::kInvalid, "a history from beyond the epoch that begins");
  }
  if (message.last != last_ || !covers(message.commit, own)) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("NEWLEADER for {}, committed to {}, while the history ends at {}",
                    message.last.to_string(), message.commit.to_string(), last_.to_string()));
  }
  return {};
}

}  // namespace ringside::coord
