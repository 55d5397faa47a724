// The leader's clock of sessions: who was heard when, whose time is over, and at which member each
// is attached. Pure; owned by the driver of a member that leads, empty otherwise.
//
// Invariants
// 1. A session that is in the registry when a leader is established gets one full timeout from
// then;
//    time in which no quorum was heard, or in which the process stood still, does not count.
// 2. Nothing here closes a session: the leader proposes that.
// 3. A session is attached at one member, where it was opened or last resumed; from anywhere else
// it
//    is neither used nor kept alive. A new leader does not know where: the first member that uses
//    or touches the session is taken for it. If that was a connection which the client has left,
//    the client is told so (session_moved) at its next request, and a resume settles it.
// 4. A session that is closing is not here.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
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
  // A transaction that opens one, or ends it or begins to, was applied.
  void opened(const SessionInfo& session, MemberId at);
  void closed(SessionId id);

  // Somebody at a member uses or touches it. False: it is attached at another one. A session that
  // is not here is nobody's to refuse.
  bool use(SessionId id, MemberId at);
  // Attaches it there; its timeout, nullopt: it is not here or its time is over.
  std::optional<milliseconds> resume(SessionId id, MemberId at);
  // Moves the clock. `quorum`: one is heard now; otherwise the time since the last call is left
  // out, and so is what exceeds `longest_turn` (a process that slept heard nobody).
  void advance(Instant now, bool quorum, Duration longest_turn);
  // At most `most` sessions whose time is over; each is given out once.
  std::vector<SessionId> take_expired(std::size_t most);
  // When the next one's time is over if nothing is heard; kNever: none.
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::size_t size() const { return sessions_.size(); }
  // Those of sidecars, and where each was opened.
  [[nodiscard]] const std::map<SessionId, MemberId>& sidecars() const { return sidecars_; }

 private:
  struct Session {
    milliseconds timeout{};
    Duration deadline{};  // on the clock of this tracker
    MemberId at;          // 0: not known
    bool expiring = false;
  };

  void touch(SessionId id, Session& session);

  std::map<SessionId, Session> sessions_;
  std::map<SessionId, MemberId> sidecars_;
  std::set<std::pair<Duration, SessionId>> by_deadline_;
  Instant at_{};
  Duration clock_{};  // time that counted since begin()
};

}  // namespace ringside::coord
