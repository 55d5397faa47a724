// A member that leads, or was elected to: runs discovery, synchronizes each follower that comes,
// and broadcasts. Pure; owned by Zab for one run.
//
//   electing ─ quorum of infos ─▶ promising ─ quorum of promises ─▶ synchronizing ─ quorum synced
//   ─▶ established ─▶ (no quorum heard for election_timeout, a greater reign, hand over) ─▶ leaves
//
//   state \ event   FollowerInfo      AckEpoch        AckNewLeader       persisted
//   electing        count             drop            drop               -
//   promising       LeaderInfo        count, compare  drop               own promise
//   synchronizing   LeaderInfo        synchronize     count              own NEWLEADER ack
//   established     LeaderInfo        synchronize     UPTODATE           own ack of proposals
//
// Each follower walks through FollowerStage on its own, so that a late one joins an established
// leader without a pause:
//
//   promised ─ SNAP ─▶ snapshot ─ SnapshotTaken ─▶ feeding ─ the leader's last one sent ─▶ syncing
//       └──────────────── DIFF, TRUNC ────────────────▶┘        NEWLEADER in the same step
//
// One that needs a snapshot while `snapshots_at_once` others take theirs stays promised until then,
// and so does one in doubt until a quorum without it has answered (may_be_synchronized, D16).
// In the step in which it has got the history up to the leader's last proposal it gets NEWLEADER,
// and every later proposal follows on the same link. Until then the history after `fed` stays in
// memory for it, within the bounds of a lag.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coord/zab/broadcast.h"
#include "coord/zab/core.h"
#include "coord/zab/discovery.h"

namespace ringside::coord {

class Leading {
 public:
  explicit Leading(Core& core);

  void on_message(MemberId from, const Envelope& envelope);
  void on_link_down(MemberId peer);
  // A voter says something else than before: it may be an attempt's end.
  void on_notification(MemberId from);
  void on_persisted(const PersistDone& done);
  void on_tick();
  void propose(std::vector<std::shared_ptr<const Bytes>> txns);
  void confirm_quorum();
  void hand_over();
  void keep_leading();  // the reason to hand over is gone
  void on_snapshot_taken(MemberId to, std::uint64_t run);
  // The next part of what is given out in slices.
  void go_on();
  // End of a step: sends what was proposed and committed in it.
  void flush();

  [[nodiscard]] bool established() const { return stage_ == Stage::kEstablished; }
  // Established, and the whole initial history is applied: it may propose.
  [[nodiscard]] bool reigning() const { return reigning_; }
  [[nodiscard]] bool handing_over() const { return handing_over_; }
  [[nodiscard]] Epoch epoch() const { return epoch_; }
  [[nodiscard]] Zxid next_zxid() const;
  [[nodiscard]] Instant quorum_heard_at() const;
  [[nodiscard]] Instant deadline() const;
  [[nodiscard]] const Followers& followers() const { return followers_; }
  [[nodiscard]] Notification notification() const;
  [[nodiscard]] std::string waiting_for() const;

 private:
  enum class Stage { kElecting, kPromising, kSynchronizing, kEstablished };

  void on_follower_info(MemberId from, std::uint64_t run, const FollowerInfo& info);
  void on_ack_epoch(MemberId from, const AckEpoch& ack);
  void on_ack_new_leader(MemberId from, const AckNewLeader& ack);
  void on_ack(MemberId from, const Ack& ack);
  void on_heartbeat_reply(MemberId from, const HeartbeatReply& reply);

  void try_new_epoch();
  void ask_followers();
  void try_synchronize();
  void synchronize(MemberId id, FollowerState& follower);
  void synchronize_waiting();
  [[nodiscard]] bool snapshot_may_begin() const;
  void feed(MemberId id, FollowerState& follower);
  void deliver();
  void try_establish();
  void commit_acknowledged();
  void beat();
  void drop(MemberId id, const std::string& reason);
  void check_support();
  void try_step_down();

  Core& core_;
  Stage stage_ = Stage::kElecting;
  Discovery discovery_;
  Followers followers_;
  Instant began_;
  Instant quorum_at_;  // last seen quorum_heard()
  Instant next_beat_;
  BirthId birth_;  // of this reign, once the epoch is fixed
  Epoch epoch_;
  bool own_synced_ = false;  // own current_epoch is durable
  bool reigning_ = false;
  bool handing_over_ = false;
  Instant handing_over_since_{};
  Zxid sent_;         // last proposal sent to those that get proposals
  Zxid told_commit_;  // last commit told to the followers
  std::uint64_t round_ = 0;
  std::uint64_t confirmed_round_ = 0;
  bool confirming_ = false;
};

}  // namespace ringside::coord
