// Sessions that end in slices, on the leader: whose next step may be proposed, and who waits for
// the last one. Pure; owned by the driver of a member that leads, empty otherwise.
//
//   stepping ─ the step is applied ─▶ ready ─ next() ─▶ stepping …  the last step is applied: gone
//
// A step is proposed only when the one before is applied, and kAtOnce of them are under way at
// most: however many sessions end with however many nodes, they take turns.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "coord/registry/txn.h"

namespace ringside::coord {

class Closings {
 public:
  static constexpr std::size_t kAtOnce = 2;

  // Its first step is proposed; the last answers `origin`.
  void begin(SessionId session, Origin origin) { origins_[session] = origin; }
  // A step that was not the last is applied, here or by a leader before this one.
  void stepped(SessionId session) {
    under_way_.erase(session);
    origins_.try_emplace(session);
    ready_.push_back(session);
  }
  void ended(SessionId session) {
    under_way_.erase(session);
    origins_.erase(session);
  }
  // Whose step is to be proposed now, and whom it answers if it is the last.
  std::optional<std::pair<SessionId, Origin>> next() {
    if (ready_.empty() || under_way_.size() == kAtOnce) {
      return std::nullopt;
    }
    const SessionId session = ready_.front();
    ready_.pop_front();
    under_way_.insert(session);
    return std::pair{session, origins_.at(session)};
  }
  void clear() {
    origins_.clear();
    ready_.clear();
    under_way_.clear();
  }

 private:
  std::map<SessionId, Origin> origins_;  // of all
  std::deque<SessionId> ready_;
  std::set<SessionId> under_way_;  // by next()
};

}  // namespace ringside::coord
