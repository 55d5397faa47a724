#include "coord/session_tracker.h"

#include <algorithm>

namespace ringside::coord {

void SessionTracker::begin(Instant now, const std::vector<SessionInfo>& sessions) {
  end();
  at_ = now;
  clock_ = Duration{};
  for (const SessionInfo& session : sessions) {
    if (!session.closing) {
      opened(session, MemberId{});
    }
  }
}

void SessionTracker::end() {
  sessions_.clear();
  sidecars_.clear();
  by_deadline_.clear();
}

void SessionTracker::opened(const SessionInfo& session, MemberId at) {
  closed(session.id);
  const Duration deadline = clock_ + session.timeout;
  sessions_[session.id] = {session.timeout, deadline, at, false};
  by_deadline_.emplace(deadline, session.id);
  if (session.sidecar) {
    sidecars_[session.id] = session.sidecar;
  }
}

void SessionTracker::closed(SessionId id) {
  const auto found = sessions_.find(id);
  if (found != sessions_.end()) {
    by_deadline_.erase({found->second.deadline, id});
    sessions_.erase(found);
    sidecars_.erase(id);
  }
}

bool SessionTracker::use(SessionId id, MemberId at) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) {
    return true;
  }
  Session& session = found->second;
  if (!session.at) {
    session.at = at;
  } else if (session.at != at) {
    return false;
  }
  touch(id, session);
  return true;
}

std::optional<milliseconds> SessionTracker::resume(SessionId id, MemberId at) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second.expiring) {
    return std::nullopt;
  }
  found->second.at = at;
  touch(id, found->second);
  return found->second.timeout;
}

void SessionTracker::touch(SessionId id, Session& session) {
  if (session.expiring) {
    return;
  }
  by_deadline_.erase({session.deadline, id});
  session.deadline = clock_ + session.timeout;
  by_deadline_.emplace(session.deadline, id);
}

void SessionTracker::advance(Instant now, bool quorum, Duration longest_turn) {
  if (quorum && now > at_) {
    clock_ += std::min(now - at_, longest_turn);
  }
  at_ = std::max(at_, now);
}

std::vector<SessionId> SessionTracker::take_expired(std::size_t most) {
  std::vector<SessionId> expired;
  while (expired.size() < most && !by_deadline_.empty() && by_deadline_.begin()->first <= clock_) {
    const SessionId id = by_deadline_.begin()->second;
    by_deadline_.erase(by_deadline_.begin());
    sessions_.at(id).expiring = true;
    expired.push_back(id);
  }
  return expired;
}

Instant SessionTracker::next_deadline() const {
  return by_deadline_.empty() ? kNever : at_ + (by_deadline_.begin()->first - clock_);
}

}  // namespace ringside::coord
