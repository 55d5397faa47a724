// The leader's clock of sessions: who was heard when, and whose time is over. Pure; owned by the
// driver of a member that leads, empty otherwise.
//
// Invariants: a session that is in the registry when a leader is established gets one full timeout
// from then; time in which no quorum was heard, or in which the process stood still, does not
// count; nothing here closes a session: the leader proposes that.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "config/base/time.h"
#include "coord/registry/registry.h"

namespace ringside::coord {

class SessionTracker {
 public:
  // A reign begins.
  void begin(Instant now, const std::vector<SessionInfo>& sessions);
  void end();
  // A transaction that opens or closes one was applied.
  void opened(const SessionInfo& session);
  void closed(SessionId id);

  void touch(SessionId id);
  // Moves the clock. `quorum`: one is heard now; otherwise the time since the last call is left
  // out, and so is what exceeds `longest_turn` (a process that slept heard nobody).
  void advance(Instant now, bool quorum, Duration longest_turn);
  // At most `most` sessions whose time is over; each is given out once.
  std::vector<SessionId> take_expired(std::size_t most);
  // When the next one's time is over if nothing is heard; kNever: none.
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::size_t size() const { return sessions_.size(); }

 private:
  struct Session {
    Duration timeout{};
    Duration deadline{};  // on the clock of this tracker
    bool expiring = false;
  };

  std::map<SessionId, Session> sessions_;
  std::set<std::pair<Duration, SessionId>> by_deadline_;
  Instant at_{};
  Duration clock_{};  // time that counted since begin()
};

}  // namespace ringside::coord
