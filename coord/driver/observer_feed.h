// The leader's side of its observers: who is attached, and how far each was fed. Pure; owned by the
// driver, filled while this member leads, and told of every transaction as it is applied, so that
// an observer is never ahead of what is committed.
//
//   waiting ─ start() ─▶ snapshot ─ snapshot_taken() ─▶ catching up ─ the queue is empty ─▶ fed
//
// What is applied while its snapshot is under way waits here and goes to it a part at a time; too
// much of it, and the observer is dropped: it comes back for another snapshot. Only to one that is
// fed may the leader's word be given that the view has reached some zxid (heartbeats, syncs).
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/base/time.h"
#include "coord/registry/registry.h"
#include "coord/zab/effects.h"

namespace ringside::coord {

class ObserverFeed {
 public:
  // A slower observer is dropped; it comes back for a snapshot.
  static constexpr std::uint64_t kMaxUnansweredBytes = 64ULL << 20U;

  // A new attachment. It waits for its snapshot.
  void attach(MemberId observer, std::uint64_t run, Instant now);
  void detach(MemberId observer) { observers_.erase(observer); }
  void clear() { observers_.clear(); }

  // The one that has waited the longest.
  [[nodiscard]] std::optional<MemberId> next_waiting() const;
  // It gets the scope as of `at` from now on; gives its run.
  std::uint64_t start(MemberId observer, Zxid at);
  void snapshot_taken(MemberId observer);
  // A part of what waits for one of those that are catching up.
  std::vector<Send> catch_up(std::uint64_t bytes);
  [[nodiscard]] bool catching_up() const;

  [[nodiscard]] bool attached(MemberId observer, std::uint64_t run) const;
  [[nodiscard]] bool fed(MemberId observer, std::uint64_t run) const;
  void heard(MemberId observer, const HeartbeatReply& reply, Instant now);

  // What each that is fed gets of a transaction just applied.
  std::vector<Send> informs(Zxid zxid, const Txn& txn);
  // To all that are fed, or to all others.
  [[nodiscard]] std::vector<Send> to_all(const Heartbeat& heartbeat, bool fed) const;
  // Those to drop, and why.
  [[nodiscard]] std::vector<std::pair<MemberId, std::string>> too_slow(Instant now,
                                                                       Duration patience) const;
  [[nodiscard]] std::optional<Zxid> view_of(MemberId observer) const;
  [[nodiscard]] std::optional<Zxid> routed_of(MemberId observer) const;

 private:
  enum class Stage { kWaiting, kSnapshot, kCatchingUp, kFed };
  struct Observer {
    std::uint64_t run = 0;
    Stage stage = Stage::kWaiting;
    Zxid told;  // last of the feed, sent or queued
    Zxid view;
    Zxid routed;  // the most that it has said in this attachment
    Instant since{};
    Instant heard{};
    std::uint64_t unanswered_bytes = 0;
    std::uint64_t queued_bytes = 0;
    std::deque<Send> queue;
  };
  std::map<MemberId, Observer> observers_;
};

}  // namespace ringside::coord
