#include "coord/zab/leading.h"

#include <fmt/format.h>

#include <algorithm>

#include "coord/mutant.h"
#include "coord/zab/synchronization.h"

namespace ringside::coord {

Leading::Leading(Core& core)
    : core_(core),
      discovery_(core),
      began_(core.now),
      quorum_at_(core.now),
      next_beat_(core.now + core.options.heartbeat_interval),
      sent_(core.history.last()),
      told_commit_(core.commit) {
  core_.notify_all(notification());
  try_new_epoch();
}

Notification Leading::notification() const {
  return {.role = Role::kLeading,
          .ready = true,
          .own = core_.credentials(),
          .vote = core_.options.self,
          .reign = established() ? epoch_ : Epoch{},
          .established = established(),
          .in_doubt = core_.in_doubt,
          .wants_answer = false,
          .aside = false};
}

void Leading::on_message(MemberId from, const Envelope& envelope) {
  if (const auto* info = std::get_if<FollowerInfo>(&envelope.message)) {
    on_follower_info(from, envelope.run, *info);
    return;
  }
  const auto found = followers_.find(from);
  if (found == followers_.end() || found->second.run != envelope.run) {
    return;  // of an attachment that is over (D10)
  }
  found->second.heard = core_.now;
  if (const auto* ack_epoch = std::get_if<AckEpoch>(&envelope.message)) {
    on_ack_epoch(from, *ack_epoch);
  } else if (const auto* ack_new_leader = std::get_if<AckNewLeader>(&envelope.message)) {
    on_ack_new_leader(from, *ack_new_leader);
  } else if (const auto* ack = std::get_if<Ack>(&envelope.message)) {
    on_ack(from, *ack);
  } else if (const auto* reply = std::get_if<HeartbeatReply>(&envelope.message)) {
    on_heartbeat_reply(from, *reply);
  }
}

// --- discovery

void Leading::on_follower_info(MemberId from, std::uint64_t run, const FollowerInfo& info) {
  const BirthId birth = birth_ ? birth_ : core_.birth;
  if (birth && info.birth && birth != info.birth) {
    core_.close(from, "it belongs to a ring of another birth");
    return;
  }
  if (stage_ != Stage::kElecting && info.accepted > epoch_) {
    // It promised a greater epoch to an attempt that failed; it can join only under a greater one.
    core_.epoch_floor = std::max(core_.epoch_floor, info.accepted);
    core_.leave(fmt::format("voter {} has promised epoch {}, above this one", from.value,
                            info.accepted.value));
    return;
  }
  followers_[from] = FollowerState{.run = run,
                                   .stage = FollowerStage::kAttached,
                                   .in_doubt = info.in_doubt,
                                   .came_before_round = round_ + 1,
                                   .last = info.last,
                                   .ends = {},
                                   .fed = {},
                                   .acked = {},
                                   .applied = {},
                                   .routed = {},
                                   .heard = core_.now,
                                   .round = 0};
  if (stage_ == Stage::kElecting || stage_ == Stage::kPromising) {
    discovery_.add_info(from, info);
  }
  if (std::ranges::any_of(followers_, [this](const auto& entry) {
        return !may_be_synchronized(core_, followers_, entry.second);
      })) {
    beat();  // it waits for the answers
  }
  if (stage_ == Stage::kElecting) {
    try_new_epoch();
  } else {
    ask_followers();
  }
}

void Leading::try_new_epoch() {
  if (!discovery_.has_quorum_of_infos()) {
    return;
  }
  if (const auto better = discovery_.better_follower()) {
    core_.leave(fmt::format("voter {} has a better log", better->value));
    return;
  }
  const Result<Epoch> epoch = discovery_.new_epoch();
  if (!epoch) {
    core_.say(Weight::kError, epoch.error().message);
    core_.leave(epoch.error().message);
    return;
  }
  const Result<BirthId> birth = discovery_.birth(core_.rng);
  if (!birth) {
    core_.leave(birth.error().message);
    return;
  }
  if (epoch->value == kMaxEpoch / 4) {
    core_.say(Weight::kWarn, fmt::format("a quarter of the {} epochs is used", kMaxEpoch));
  }
  birth_ = *birth;
  epoch_ = *epoch;
  stage_ = Stage::kPromising;
  if (core_.in_doubt) {  // its own promise counts only where everybody's does (D16)
    discovery_.own_promise();
  } else {
    core_.save_epochs(birth_, epoch_, core_.current);  // D4: it counts once it is durable
  }
  ask_followers();
  try_synchronize();
}

void Leading::ask_followers() {
  for (auto& [id, follower] : followers_) {
    if (follower.stage == FollowerStage::kAttached) {
      follower.stage = FollowerStage::kAsked;
      core_.send(id, LeaderInfo{birth_, epoch_}, follower.run);
    }
  }
}

void Leading::on_ack_epoch(MemberId from, const AckEpoch& ack) {
  FollowerState& follower = followers_.at(from);
  if (follower.stage != FollowerStage::kAsked || ack.epoch != epoch_) {
    return;
  }
  follower.stage = FollowerStage::kPromised;
  follower.last = ack.last;
  follower.ends = ack.ends;
  if (stage_ == Stage::kPromising) {
    discovery_.add_promise(from, ack);
    try_synchronize();
  } else {
    synchronize(from, follower);
  }
}

void Leading::try_synchronize() {
  if (stage_ != Stage::kPromising || !discovery_.has_quorum_of_promises()) {
    return;  // its own promise among them
  }
  if (const auto better = discovery_.better_follower()) {
    core_.leave(fmt::format("voter {} has a better log", better->value));
    return;
  }
  stage_ = Stage::kSynchronizing;
  if (mutated(Mutant::kD14TailLeftOut)) {
    core_.switch_history(std::nullopt, core_.commit, {}, birth_, epoch_);
  } else if (core_.in_doubt) {  // everybody answered: this log is the best that there is
    core_.switch_history(std::nullopt, core_.history.last(), {}, birth_, epoch_);
  } else {
    core_.save_epochs(birth_, epoch_, epoch_);
  }
  for (auto& [id, follower] : followers_) {
    if (follower.stage == FollowerStage::kPromised) {
      synchronize(id, follower);
    }
  }
}

// --- synchronization

void Leading::synchronize(MemberId id, FollowerState& follower) {
  if (!may_be_synchronized(core_, followers_, follower)) {
    return;  // synchronize_waiting() comes back to it
  }
  const SyncPlan plan = plan_sync(core_.history, core_.applied, follower.last, follower.ends);
  if (plan.mode == SyncMode::kSnap && !snapshot_may_begin()) {
    return;  // synchronize_waiting() comes back to it
  }
  core_.say(Weight::kInfo,
            fmt::format("synchronizing voter {} from {}: {} up to {}, then {} "
                        "transactions",
                        id.value, follower.last.to_string(),
                        plan.mode == SyncMode::kSnap    ? "snapshot"
                        : plan.mode == SyncMode::kTrunc ? "truncation"
                                                        : "its log",
                        plan.keep_until.to_string(), core_.history.entries_after(plan.keep_until)));
  core_.send(id, SyncStart{plan.mode, plan.keep_until}, follower.run);
  follower.fed = plan.keep_until;
  if (plan.mode == SyncMode::kSnap) {
    follower.stage = FollowerStage::kSnapshot;
    core_.effects.emplace_back(SendSnapshot{id, follower.run});
    if (mutated(Mutant::kZk3104NewLeaderTooEarly)) {
      feed(id, follower);
    }
  } else {
    follower.stage = FollowerStage::kFeeding;
    feed(id, follower);
  }
}

bool Leading::snapshot_may_begin() const {
  const auto under_way = std::ranges::count_if(
      followers_, [](const auto& entry) { return entry.second.stage == FollowerStage::kSnapshot; });
  return static_cast<std::size_t>(under_way) < core_.options.snapshots_at_once;
}

void Leading::synchronize_waiting() {
  if (stage_ < Stage::kSynchronizing) {
    return;
  }
  for (auto& [id, follower] : followers_) {
    if (follower.stage == FollowerStage::kPromised && snapshot_may_begin()) {
      synchronize(id, follower);
    }
  }
}

void Leading::on_snapshot_taken(MemberId to, std::uint64_t run) {
  const auto found = followers_.find(to);
  if (found == followers_.end() || found->second.run != run ||
      found->second.stage != FollowerStage::kSnapshot) {
    return;  // of an attachment that is over (D10)
  }
  found->second.stage = FollowerStage::kFeeding;
  feed(to, found->second);
}

// One part; NEWLEADER strictly after the last one.
void Leading::feed(MemberId id, FollowerState& follower) {
  const Zxid last = core_.history.last();
  std::vector<Entry> part = core_.history.range(follower.fed, last, kMaxEntriesBytes, kMaxEntries);
  if (mutated(Mutant::kZk4925HolePassedOn) && part.size() > 1) {
    part.erase(part.begin());
  }
  if (!part.empty()) {
    follower.fed = part.back().zxid;
    core_.send(id, SyncEntries{std::move(part)}, follower.run);
  }
  if (follower.fed == last) {
    const bool as_committed = mutated(Mutant::kZk2846UncommittedAsCommitted) && established();
    core_.send(id, NewLeader{epoch_, last, as_committed ? last : core_.commit}, follower.run);
    follower.stage = FollowerStage::kSyncing;
  }
}

// One follower's part in each turn: together they must not take long either.
void Leading::go_on() {
  const auto feeding = std::ranges::find_if(
      followers_, [](const auto& entry) { return entry.second.stage == FollowerStage::kFeeding; });
  if (feeding != followers_.end()) {
    feed(feeding->first, feeding->second);
  }
  if (core_.deliver_more()) {
    deliver();
    try_step_down();
  }
}

void Leading::deliver() {
  core_.held_from = held_from(followers_);
  core_.deliver();
  // D14: it proposes only upon the whole initial history.
  if (established() && !reigning_ && core_.applied == core_.history.last()) {
    reigning_ = true;
    core_.effects.emplace_back(ReignBegan{core_.options.self, epoch_, core_.run()});
  }
}

void Leading::on_ack_new_leader(MemberId from, const AckNewLeader& ack) {
  FollowerState& follower = followers_.at(from);
  if (follower.stage != FollowerStage::kSyncing) {
    return;
  }
  if (!core_.history.covers(ack.last)) {
    drop(from, "it acknowledges what was never sent");
    return;
  }
  follower.stage = FollowerStage::kSynced;
  follower.acked = ack.last;
  if (established()) {
    core_.send(from, UpToDate{std::min(core_.commit, core_.history.last())}, follower.run);
    commit_acknowledged();
  } else {
    try_establish();
  }
}

void Leading::try_establish() {
  if (stage_ != Stage::kSynchronizing || !own_synced_ || !synced(core_, followers_).sufficient()) {
    return;
  }
  stage_ = Stage::kEstablished;
  quorum_at_ = core_.now;
  sent_ = core_.history.last();
  core_.commit_up_to(core_.history.last());  // D8: the initial history, as a whole
  told_commit_ = core_.commit;
  for (const auto& [id, follower] : followers_) {
    if (follower.stage == FollowerStage::kSynced) {
      core_.send(id, UpToDate{core_.commit}, follower.run);
    }
  }
  core_.notify_all(notification());
  deliver();
}

}  // namespace ringside::coord
