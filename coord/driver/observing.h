// A member that does not vote: finds the established leader among the voters it has links to,
// attaches, and takes a snapshot of kObserverScope and then the transactions that touch it. Pure,
// the same style as Zab: events in, ordered effects out. Owned by the driver.
//
//   looking ─ a voter says that it leads ─▶ attached ─ ObserverStart, snapshot ─▶ observing
//      ▲                                       │                                     │
//      └── link down · it leads no more · silent for election_timeout · a gap (D5) ──┘
//
// It keeps no disk, never acknowledges, never votes. Each Inform names the zxid of the one before
// in this feed; heartbeats move the view on when nothing in scope changes. They are answered from
// the beginning: an observer may wait its turn for a snapshot, which then takes its time.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "config/base/error.h"
#include "coord/zab/effects.h"
#include "coord/zab/following.h"
#include "coord/zab/quorum.h"

namespace ringside::coord {

class Observing {
 public:
  Observing(milliseconds election_timeout, std::uint64_t first_run, Instant now)
      : election_timeout_(election_timeout), run_(first_run), now_(now) {}

  // The events of Zab; Propose, ConfirmQuorum, HandOver and Persisted do not concern it.
  Effects step(Instant now, const Event& event);
  [[nodiscard]] Instant next_deadline() const;

  // The leader answered a Sync: everything up to there has been given (links keep order).
  void view_reached(Zxid zxid) { view_ = std::max(view_, zxid); }

  [[nodiscard]] Role role() const { return started_ ? Role::kObserving : Role::kLooking; }
  [[nodiscard]] std::optional<MemberId> leader() const {
    return started_ ? std::optional(leader_) : std::nullopt;
  }
  // A snapshot from anybody else, of another run, or now, is not wanted.
  [[nodiscard]] std::optional<SnapshotWanted> snapshot_wanted() const {
    return leader_ && announced_ && !started_
               ? std::optional(SnapshotWanted{leader_, run_, feed_, false})
               : std::nullopt;
  }
  [[nodiscard]] BirthId birth() const { return birth_; }
  [[nodiscard]] Epoch epoch() const { return epoch_; }
  [[nodiscard]] Zxid view() const { return view_; }
  [[nodiscard]] Instant quorum_heard_at() const { return quorum_at_; }
  [[nodiscard]] std::uint64_t attachments() const { return attachments_; }
  [[nodiscard]] const std::map<MemberId, std::optional<Notification>>& voters() const {
    return voters_;
  }

 private:
  void on_received(const Received& received);
  Status handle(const Message& message);
  Status on_start(const ObserverStart& start);
  Status on_snapshot(const SnapshotData& snapshot);
  Status on_inform(const Inform& inform);
  void on_heartbeat(const Heartbeat& heartbeat);
  void attach();
  void detach(std::string reason);
  void send(Message message);

  milliseconds election_timeout_;
  std::uint64_t run_;
  Instant now_;
  std::map<MemberId, std::optional<Notification>> voters_;  // with a link up, and what they said

  MemberId leader_;  // 0: not attached
  bool announced_ = false;
  bool started_ = false;
  Instant heard_{};
  Zxid feed_;  // last of the feed
  std::uint64_t attachments_ = 0;
  Instant quorum_at_ = kLongAgo;

  BirthId birth_;
  Epoch epoch_;
  Zxid view_;

  Effects effects_;
};

}  // namespace ringside::coord
