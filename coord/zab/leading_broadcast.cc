// Leading, once synchronized: proposals, acknowledgements, heartbeats, the quorum, and the end.
#include <fmt/format.h>

#include <algorithm>

#include "config/base/check.h"
#include "coord/mutant.h"
#include "coord/zab/leading.h"
#include "coord/zab/synchronization.h"

namespace ringside::coord {

namespace {

// While a quorum is being synchronized a leader-elect waits this many election timeouts, snapshots
// not counted; each follower must still be heard.
constexpr int kSynchronizationTimeouts = 30;

}  // namespace

Zxid Leading::next_zxid() const {
  const Zxid last = core_.history.last();
  return last.epoch() == epoch_ ? last.next() : Zxid{epoch_, 1};
}

void Leading::propose(std::vector<std::shared_ptr<const Bytes>> txns) {
  CHECK(reigning() && !handing_over_);
  for (std::shared_ptr<const Bytes>& txn : txns) {
    core_.history.append({next_zxid(), std::move(txn)});
  }
  if (core_.history.last().counter() > Zxid::kMaxCounter - (1U << 20U)) {
    core_.leave("the counter of this epoch is used up");
  }
}

void Leading::on_ack(MemberId from, const Ack& ack) {
  FollowerState& follower = followers_.at(from);
  if (follower.stage != FollowerStage::kSynced || ack.zxid <= follower.acked) {
    return;
  }
  if (!core_.history.covers(ack.zxid)) {
    drop(from, "it acknowledges what was never sent");
    return;
  }
  follower.acked = ack.zxid;
  commit_acknowledged();
}

void Leading::commit_acknowledged() {
  if (!established()) {
    return;
  }
  core_.commit_up_to(committed(core_, followers_));
  deliver();
  try_step_down();
}

void Leading::on_persisted(const PersistDone& done) {
  if (done.stale) {
    return;
  }
  if (done.kind == PersistKind::kAppend) {
    commit_acknowledged();
  } else if (stage_ == Stage::kPromising) {
    discovery_.own_promise();
    try_synchronize();
  } else if (stage_ == Stage::kSynchronizing) {
    own_synced_ = true;
    try_establish();
  }
}

void Leading::flush() {
  if (core_.history.last() > sent_) {
    auto parts = split_entries(core_.history.range(sent_, core_.history.last()));
    sent_ = core_.history.last();
    told_commit_ = core_.commit;
    for (std::vector<Entry>& part : parts) {
      const Proposal proposal{std::min(core_.commit, part.back().zxid), std::move(part)};
      for (const auto& [id, follower] : followers_) {
        if (follower.stage >= FollowerStage::kSyncing) {
          core_.send(id, proposal, follower.run);
        }
      }
    }
  } else if (established() && core_.commit > told_commit_) {
    told_commit_ = core_.commit;
    for (const auto& [id, follower] : followers_) {
      if (follower.stage == FollowerStage::kSynced) {
        core_.send(id, Commit{core_.commit}, follower.run);
      }
    }
  }
  synchronize_waiting();  // after the proposals: what it is fed holds them
  core_.append_pending();
}

// --- heartbeats and the quorum

void Leading::beat() {
  ++round_;
  next_beat_ = core_.now + core_.options.heartbeat_interval;
  const bool quorum = core_.now - quorum_heard_at() <= core_.options.election_timeout;
  for (const auto& [id, follower] : followers_) {
    core_.send(
        id,
        Heartbeat{.round = round_,
                  .epoch = epoch_,
                  .commit = follower.stage == FollowerStage::kSynced && established() ? core_.commit
                                                                                      : Zxid{},
                  .quorum = established() && quorum,
                  .applied = {},
                  .digest = 0,
                  .scope_digest = 0},
        follower.run);
  }
}

void Leading::on_heartbeat_reply(MemberId from, const HeartbeatReply& reply) {
  FollowerState& follower = followers_.at(from);
  follower.round = std::max(follower.round, std::min(reply.round, round_));
  follower.applied = reply.applied;
  follower.routed = std::max(follower.routed, reply.routed);
  const std::uint64_t confirmed = quorum_round(core_, followers_, round_);
  if (confirming_ && confirmed >= confirmed_round_) {
    confirming_ = false;
    core_.effects.emplace_back(QuorumConfirmed{confirmed});
  }
}

void Leading::confirm_quorum() {
  CHECK(reigning());
  beat();
  confirming_ = true;
  confirmed_round_ = round_;
  if (quorum_round(core_, followers_, round_) >= confirmed_round_ ||
      mutated(Mutant::kZk1675SyncWithoutQuorum)) {
    confirming_ = false;
    core_.effects.emplace_back(QuorumConfirmed{round_});
  }
}

Instant Leading::quorum_heard_at() const {
  return std::max(quorum_at_, quorum_heard(core_, followers_, established()));
}

void Leading::on_tick() {
  const auto patience = core_.options.election_timeout;
  const Instant heard = quorum_heard(core_, followers_, established());
  if (core_.now - std::max(quorum_at_, heard) > patience) {
    // Also the way in which a process that was paused finds itself deposed, before it does anything
    // else in this step.
    core_.leave("no quorum was heard for an election timeout");
    return;
  }
  quorum_at_ = std::max(quorum_at_, heard);
  if (std::ranges::any_of(followers_, [](const auto& entry) {
        return entry.second.stage == FollowerStage::kSnapshot;
      })) {
    began_ = core_.now;  // a snapshot takes its time; the driver ends one that does not move
  }
  const bool discovering = stage_ == Stage::kElecting || stage_ == Stage::kPromising;
  const Instant limit = began_ + (discovering ? 1 : kSynchronizationTimeouts) * patience;
  if (!established() && core_.now > limit) {
    core_.leave(discovering ? "too few voters followed" : "too few voters synchronized in time");
    return;
  }
  std::vector<std::pair<MemberId, std::string>> slow;
  for (const auto& [id, follower] : followers_) {
    if (auto reason = too_slow(core_, follower)) {
      slow.emplace_back(id, std::move(*reason));
    }
  }
  for (const auto& [id, reason] : slow) {
    drop(id, reason);
  }
  if (core_.now >= next_beat_) {
    beat();
  }
  try_step_down();
  // Its own log may be what waits for room: without a word from the disk it would refuse for ever.
  if (handing_over_ && !core_.aside.empty() && core_.now - handing_over_since_ > patience) {
    core_.leave(core_.aside);
  }
}

Instant Leading::deadline() const {
  const bool feeding = std::ranges::any_of(
      followers_, [](const auto& entry) { return entry.second.stage == FollowerStage::kFeeding; });
  if (feeding || core_.deliver_more()) {
    return core_.now;
  }
  return std::min(next_beat_, quorum_heard_at() + core_.options.election_timeout + Duration{1});
}

// --- the end

void Leading::drop(MemberId id, const std::string& reason) {
  followers_.erase(id);
  discovery_.remove(id);
  core_.close(id, reason);
}

void Leading::on_link_down(MemberId peer) {
  followers_.erase(peer);
  discovery_.remove(peer);
  check_support();
}

void Leading::on_notification(MemberId from) {
  const Notification& said = *core_.peers.at(from).said;
  if (said.established && said.reign > epoch_) {
    core_.leave(fmt::format("voter {} knows of epoch {}", from.value, said.reign.value));
    return;
  }
  if (said.vote != core_.options.self || said.role == Role::kLooking) {
    followers_.erase(from);  // it left; if it comes back it says FollowerInfo first
    discovery_.remove(from);
  }
  check_support();
}

// A leader-elect that can no longer find its quorum gives up at once (ZooKeeper's ZK-3109).
void Leading::check_support() {
  if (established()) {
    return;
  }
  Tally possible(core_.voters());
  possible.add(core_.in_doubt);
  for (const auto& [id, peer] : core_.peers) {
    const bool ours = peer.said && peer.said->vote == core_.options.self && !peer.said->established;
    if (ours || followers_.contains(id)) {
      const bool in_doubt = peer.said && peer.said->in_doubt;
      possible.add(in_doubt);
    }
  }
  if (!possible.sufficient()) {
    core_.leave("too few voters support this member");
  }
}

void Leading::hand_over() {
  if (!established() && !core_.aside.empty()) {
    core_.leave(core_.aside);
  } else if (core_.voters() > 1 || !core_.aside.empty()) {
    handing_over_ = true;
    handing_over_since_ = core_.now;
    try_step_down();
  }
}

void Leading::keep_leading() {
  handing_over_ = false;
}

void Leading::try_step_down() {
  if (!handing_over_ || core_.durable() != core_.history.last() ||
      core_.applied != core_.history.last()) {
    return;
  }
  const bool heir =
      core_.voters() == 1 || std::ranges::any_of(followers_, [this](const auto& entry) {
        return entry.second.stage == FollowerStage::kSynced &&
               entry.second.acked == core_.history.last();
      });
  if (heir) {
    core_.leave(core_.aside.empty() ? "handed over" : core_.aside);
  }
}

std::string Leading::waiting_for() const {
  if (established()) {
    return "";
  }
  const char* what = stage_ == Stage::kSynchronizing ? "to take over its history" : "to follow";
  return fmt::format("a quorum of voters {} (elected, {} of {} attached)", what,
                     followers_.size() + 1, core_.voters());
}

}  // namespace ringside::coord
