// The leader's side of its observers: who is attached, and how far each was fed. Pure; owned by the
// driver, filled while this member leads, and told of every transaction as it is applied, so that
// an observer is never ahead of what is committed.
#pragma once

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

  // A new attachment begins with the scope as it is now; the caller sends the snapshot.
  void attach(MemberId observer, std::uint64_t run, Zxid at, Instant now);
  void detach(MemberId observer) { observers_.erase(observer); }
  void clear() { observers_.clear(); }

  [[nodiscard]] bool attached(MemberId observer, std::uint64_t run) const;
  void heard(MemberId observer, const HeartbeatReply& reply, Instant now);

  // What each gets of a transaction just applied.
  std::vector<Send> informs(Zxid zxid, const Txn& txn);
  // To all of them.
  [[nodiscard]] std::vector<Send> to_all(const Heartbeat& heartbeat) const;
  // Those to drop, and why.
  [[nodiscard]] std::vector<std::pair<MemberId, std::string>> too_slow(Instant now,
                                                                       Duration patience) const;
  [[nodiscard]] std::optional<Zxid> view_of(MemberId observer) const;
  [[nodiscard]] std::optional<Zxid> routed_of(MemberId observer) const;

 private:
  struct Observer {
    std::uint64_t run = 0;
    Zxid fed;
    Zxid view;
    Zxid routed;  // the most that it has said in this attachment
    Instant heard{};
    std::uint64_t unanswered_bytes = 0;
  };
  std::map<MemberId, Observer> observers_;
};

}  // namespace ringside::coord
