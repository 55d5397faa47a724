// What all phases of one Zab member share: what is durable, the history, what is known of the other
// voters, the disk work under way and the effects of the step being made.
//
// Owned by Zab (member.h), lent to the phases; nobody else includes this. Invariants:
//   1. applied <= commit, and applied <= durable() (D1)
//   2. accepted >= current >= durable().epoch(), all of them durable values (D4)
//   3. disk work completes in the order in which it was asked for; what completes for an earlier
//   run
//      changes the durable values and nothing else (D10)
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/base/rng.h"
#include "coord/zab/effects.h"
#include "coord/zab/history.h"
#include "coord/zab/quorum.h"

namespace ringside::coord {

struct Peer {
  Instant up_since{};
  Instant heard{};
  std::optional<Notification> said;  // the latest on this link
  bool answered = false;             // since this member began to look
};

enum class PersistKind { kAppend, kEpochs, kSwitch };

struct PersistDone {
  PersistKind kind = PersistKind::kAppend;
  bool stale = false;  // asked for by a run that is over (D10)
};

class Core {
 public:
  Core(ZabOptions options, ZabStart start, Rng rng, Instant now);

  // --- settings and time
  ZabOptions options;
  Rng rng;
  Instant now;

  // --- durable
  BirthId birth;
  Epoch accepted;
  Epoch current;
  bool in_doubt;  // D16
  [[nodiscard]] Zxid durable() const { return durable_; }

  // --- history and its bounds
  History history;  // everything logged or being logged
  Zxid commit;      // known to be committed, and held here
  Zxid applied;     // handed out for applying

  // --- others
  std::map<MemberId, Peer> peers;  // other voters with a link up
  Epoch epoch_floor;               // highest accepted epoch heard of; a new one lies above it
  bool resigned = false;           // wants no leadership (a clean stop)
  std::string aside;               // why it takes no part for now; empty: it does

  // --- the step being made
  Effects effects;
  std::optional<std::string> leaving;  // why this run ends; Zab goes looking

  // Starts a new run: whatever was under way for the one before is stale from here on (D10).
  std::uint64_t new_run() {
    held_from.reset();
    deliver_more_ = false;
    return ++run_;
  }
  [[nodiscard]] std::uint64_t run() const { return run_; }
  void leave(std::string reason);

  void send(MemberId to, Message message, std::uint64_t run = 0);
  void say(Weight weight, std::string message);
  void close(MemberId peer, std::string reason);
  // To all voters with a link, and to observers through the driver.
  void notify_all(const Notification& notification);
  [[nodiscard]] Credentials credentials() const;
  [[nodiscard]] bool is_voter(MemberId id) const;
  [[nodiscard]] std::size_t voters() const { return options.voters.size(); }

  // --- disk
  void save_epochs(BirthId new_birth, Epoch new_accepted, Epoch new_current);
  // Replaces the tail after keep_until (or everything, by the snapshot) at once in memory and in
  // one durable step on disk (D3, D6). `epoch` becomes accepted and current.
  void switch_history(std::optional<SnapshotData> snapshot, Zxid keep_until,
                      std::vector<Entry> entries, BirthId new_birth, Epoch epoch);
  // Writes what history holds beyond what was written, unless an append is under way: natural
  // batching.
  void append_pending();
  [[nodiscard]] bool disk_at_rest() const { return pending_.empty() && written_ == history.last(); }
  // An unfinished synchronization that stays in memory: the bug ZK-3642 (mutant.h).
  void count_as_durable(const SnapshotData& snapshot);
  // At the end of a run: what was never handed to the disk was never acknowledged, and goes.
  void drop_unwritten();
  // nullopt: not ours.
  std::optional<PersistDone> on_persisted(PersistId id);

  // Raises commit (never lowers it), and hands out what is committed and durable: a slice of it in
  // each step, the rest in those after (deliver_more).
  void commit_up_to(Zxid zxid);
  void deliver();
  void deliver_all();
  [[nodiscard]] bool deliver_more() const { return deliver_more_; }
  // Entries after it stay in the history: some follower is to get them yet.
  std::optional<Zxid> held_from;

 private:
  struct Pending {
    PersistId id;
    PersistKind kind = PersistKind::kAppend;
    std::uint64_t run = 0;
    Zxid durable;  // once done
    BirthId birth;
    Epoch accepted;
    Epoch current;
    std::optional<SnapshotData> snapshot;
  };
  void finish_switch(const Pending& done);
  void deliver_slice(std::uint64_t bytes, std::size_t entries);
  PersistId push(Pending pending);

  std::deque<Pending> pending_;
  std::uint64_t last_persist_ = 0;
  std::uint64_t run_ = 0;
  bool deliver_more_ = false;
  Zxid durable_;
  Zxid written_;  // handed to the disk
};

}  // namespace ringside::coord
