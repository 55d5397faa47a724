// One voter of the ring as a pure step machine: an event in, an ordered list of effects out. Reads
// no clock, holds no thread, calls nobody. Follows Zab (Junqueira, Reed, Serafini, DSN 2011).
//
// Owned by the driver, on its one thread. `now` never goes back; on_time deadlines are polled with
// a Tick. Transactions are opaque bytes here.
//
//              ┌────────────────────────── leave(reason) ───────────────────────────┐
//              ▼                                                                    │
//   resting ─ log at rest ─▶ looking (Election) ─ decided ─┬─ self ──▶ Leading ─────┤
//                                                          └─ other ─▶ Following ───┘
//
// Resting: work of the run that ended is still on its way to the disk. The member neither votes nor
// joins before it is done, so that nothing of an old incarnation can reach the disk under a new one
// (ZooKeeper's ZK-4712), and its vote is what is durable (ZK-2845).
//
// Runs (D10): each of these states is an object of its own with its own deadlines, and the run
// number changes whenever one begins; a late Persisted updates what is durable and is otherwise
// dropped, and so is a late message.
//
// A member that stands aside (no room on its disk) stays resting when it gets there, and says so.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "coord/zab/core.h"
#include "coord/zab/election.h"
#include "coord/zab/following.h"
#include "coord/zab/leading.h"

namespace ringside::coord {

struct Reign {
  MemberId leader;
  Epoch epoch;
};

class Zab {
 public:
  Zab(ZabOptions options, ZabStart start, Rng rng, Instant now);
  ~Zab();
  Zab(const Zab&) = delete;
  Zab& operator=(const Zab&) = delete;

  // First call, once, before any step: hands out what is known to be committed (D15) and goes
  // looking.
  Effects start();
  Effects step(Instant now, Event event);
  [[nodiscard]] Instant next_deadline() const;
  // From now on about so many bytes of applied log stay in memory (ZabOptions::keep_entries holds
  // too): more than a snapshot has is of no use to a late follower.
  void keep_log(std::uint64_t bytes) { core_.options.keep_bytes = bytes; }

  [[nodiscard]] Role role() const;
  [[nodiscard]] std::optional<Reign> reign() const;  // serving under, or as, an established leader
  [[nodiscard]] const Leading* leading() const;      // may propose: reigning, not handing over
  [[nodiscard]] const Followers* followers() const;  // while leading or elected
  [[nodiscard]] const std::map<MemberId, Peer>& peers() const { return core_.peers; }
  // A snapshot from anybody else, of another run, or now, is not wanted.
  [[nodiscard]] std::optional<SnapshotWanted> snapshot_wanted() const;
  [[nodiscard]] Instant quorum_heard_at() const;    // kLongAgo: not in touch with one
  [[nodiscard]] Notification notification() const;  // what it tells of itself now
  [[nodiscard]] std::string waiting_for() const;
  [[nodiscard]] std::uint64_t elections() const { return elections_; }

  [[nodiscard]] BirthId birth() const { return core_.birth; }
  [[nodiscard]] Epoch current_epoch() const { return core_.current; }
  [[nodiscard]] bool in_doubt() const { return core_.in_doubt; }
  [[nodiscard]] Zxid applied() const { return core_.applied; }
  [[nodiscard]] Zxid committed() const { return core_.commit; }
  [[nodiscard]] const History& history() const { return core_.history; }

 private:
  struct Resting {};
  using State = std::variant<Resting, Election, Leading, Following>;

  void handle(const Event& event);
  void on_received(const Received& received);
  void on_notification(MemberId from, const Notification& notification);
  void on_persisted(const Persisted& persisted);
  void stand_aside(const std::string& reason);
  // Goes on to the next state until none is due.
  void settle();
  void go_resting();

  Core core_;
  State state_;
  bool serving_ = false;  // a ReignBegan was handed out
  Instant hold_until_;    // see Election
  std::uint64_t elections_ = 0;
};

}  // namespace ringside::coord
