// A voter that follows a leader, elected or established: promises its epoch, takes its history,
// logs and acknowledges its proposals. Pure; owned by Zab for one run.
//
//   waiting ─ it says that it leads ─▶ attached ─ LeaderInfo ─▶ promising ─ durable, AckEpoch ─▶
//   receiving ─ NEWLEADER ─▶ switching ─ durable, AckNewLeader ─▶ synced ─ UPTODATE ─▶ serving
//
//   state \ message  LeaderInfo  SyncStart…  NewLeader  Proposal    Commit  UpToDate  Heartbeat
//   waiting          -           -           -          -           -       -         -
//   attached         promise     leave       leave      leave       leave   leave     reply
//   promising        leave       leave       leave      leave       leave   leave     reply
//   receiving        leave       stage       switch     leave       leave   leave     reply
//   switching        leave       leave       leave      log         note    leave     reply
//   synced           leave       leave       leave      log, ack    note    serve     reply
//   serving          leave       leave       leave      log, ack    commit  leave     reply
//
// "leave" is a violation by the leader: the link is closed and this member goes looking. A message
// of another run is dropped (D10). Silence for election_timeout, the link's end and any word of the
// leader that it leads no more also end the run.
#pragma once

#include <optional>
#include <string>

#include "coord/zab/core.h"
#include "coord/zab/synchronization.h"

namespace ringside::coord {

struct SnapshotWanted {
  MemberId from;
  std::uint64_t run = 0;
  Zxid zxid;
  bool given = false;  // Zab has its SnapshotData
};

class Following {
 public:
  Following(Core& core, MemberId leader);

  void on_message(MemberId from, const Envelope& envelope);
  void on_link_down(MemberId peer);
  void on_notification(MemberId from);
  void on_persisted(const PersistDone& done);
  void on_tick();
  // At the end of the run, and only with the bug ZK-3642 in it.
  void keep_unfinished();
  // Another slice of what is committed.
  void go_on();
  // End of a step: writes what came in it, unless the disk is busy.
  void flush() { core_.append_pending(); }

  [[nodiscard]] MemberId leader() const { return leader_; }
  [[nodiscard]] bool serving() const { return stage_ == Stage::kServing; }
  // Given by the leader in this run, taken in by the driver; it is of no use to any other run (D6).
  [[nodiscard]] std::optional<SnapshotWanted> snapshot_wanted() const;
  [[nodiscard]] Epoch epoch() const { return epoch_; }
  // Last word of the leader with which it said that it has a quorum; kLongAgo: never.
  [[nodiscard]] Instant quorum_heard_at() const { return quorum_at_; }
  [[nodiscard]] Instant deadline() const;
  [[nodiscard]] Notification notification() const;
  [[nodiscard]] std::string waiting_for() const;

 private:
  enum class Stage {
    kWaiting,
    kAttached,
    kPromising,
    kReceiving,
    kSwitching,
    kSynced,
    kServing,
  };

  void attach_if_it_leads();
  Status handle(const Message& message);
  Status on_leader_info(const LeaderInfo& info);
  Status on_sync_start(const SyncStart& start);
  Status on_new_leader(const NewLeader& message);
  Status on_up_to_date(const UpToDate& message);
  Status on_proposal(const Proposal& proposal);
  Status on_commit(Zxid zxid);
  Status on_heartbeat(const Heartbeat& heartbeat);
  void send_ack_epoch(bool counts);
  void acknowledge_new_leader(Zxid last);

  Core& core_;
  MemberId leader_;
  Stage stage_ = Stage::kWaiting;
  std::uint64_t run_ = 0;  // of this attachment
  Instant heard_;          // the leader
  Instant quorum_at_ = kLongAgo;
  BirthId birth_;
  Epoch epoch_;
  Staging staging_;
};

}  // namespace ringside::coord
