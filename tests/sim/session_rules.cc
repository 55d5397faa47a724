#include "tests/sim/session_rules.h"

#include <algorithm>

namespace ringside::sim {

namespace {

Duration scaled(milliseconds timeout, double factor) {
  return std::chrono::duration_cast<Duration>(timeout * factor);
}

}  // namespace

void SessionRules::opened(Instant now, SessionId id, milliseconds timeout) {
  Session& session = sessions_[id];
  session.timeout = timeout;
  session.known = true;
  session.touched_since = session.last_touch = now;
}

void SessionRules::touched(Instant now, SessionId id) {
  Session& session = sessions_[id];
  if (now - session.last_touch > session.timeout / 2) {
    session.touched_since = now;
  }
  session.last_touch = now;
}

void SessionRules::closing(SessionId id) {
  sessions_[id].closing = true;
}

void SessionRules::owner_died(Instant now, SessionId id) {
  sessions_[id].died = now;
}

void SessionRules::transaction(Instant now, coord::Zxid zxid,
                               const std::vector<SessionId>& sessions,
                               const std::vector<NodeChange>& changes,
                               const std::vector<SessionId>& closing) {
  const auto ends = [&closing](SessionId id) {
    return std::ranges::find(closing, id) != closing.end();
  };
  for (const NodeChange& change : changes) {
    if (!change.created) {
      const auto gone = ephemerals_.find(change.path);
      if (gone == ephemerals_.end()) {
        continue;
      }
      if (std::ranges::find(sessions, gone->second) != sessions.end() && !ends(gone->second)) {
        violate("sessions: {} is gone at {} and its session {:x} lives", change.path,
                zxid.to_string(), gone->second.value);
      }
      ephemerals_.erase(gone);
    } else if (change.owner) {
      if (ends(change.owner)) {
        violate("sessions: {} is made at {} though its session {:x} is ending", change.path,
                zxid.to_string(), change.owner.value);
      }
      ephemerals_[change.path] = change.owner;
    }
  }
  for (const SessionId id : sessions) {
    Session& session = sessions_[id];
    session.there = true;
    if (session.ending && !ends(id)) {
      violate("sessions: {:x} came back at {} though it was ending", id.value, zxid.to_string());
    }
    if (ends(id) && !session.ending) {
      session.ending = true;  // what is left of its end needs no reason, whoever leads
      ended(now, zxid, id, session);
    }
  }
  for (auto& [id, session] : sessions_) {
    if (session.there && std::ranges::find(sessions, id) == sessions.end()) {
      session.there = false;
      if (!session.ending) {
        ended(now, zxid, id, session);
      }
    }
  }
  check_ephemerals(zxid);
}

void SessionRules::check_ephemerals(coord::Zxid zxid) const {
  for (const auto& [path, owner] : ephemerals_) {
    if (!sessions_.at(owner).there) {
      violate("sessions: {} is there at {} without its session {:x}", path, zxid.to_string(),
              owner.value);
    }
  }
}

void SessionRules::ended(Instant now, coord::Zxid zxid, SessionId id, Session& session) {
  if (session.closing || !session.known) {
    return;
  }
  ++expired_;
  const auto led = led_since_.find(zxid.epoch());
  if (led != led_since_.end() &&
      now - led->second < scaled(session.timeout, 1 - limits_.clock_error)) {
    violate("sessions: {:x} expired {} ms after the leader of epoch {} began, its timeout is {} ms",
            id.value, std::chrono::duration_cast<milliseconds>(now - led->second).count(),
            zxid.epoch().value, session.timeout.count());
  }
  const Duration needed = 2 * session.timeout + limits_.touch_slack;
  const bool calm = calm_since_ && now - *calm_since_ > needed;
  const bool touched = !session.died && now - session.touched_since > needed &&
                       now - session.last_touch < session.timeout / 2;
  if (calm && touched) {
    violate("sessions: {:x} expired at {} though its owner touches it and the ring is calm",
            id.value, zxid.to_string());
  }
}

void SessionRules::overdue(Instant now) const {
  if (!calm_since_) {
    return;
  }
  for (const auto& [id, session] : sessions_) {
    if (!session.there || !session.died) {
      continue;
    }
    const Instant from = std::max(*session.died, *calm_since_);
    if (now - from > scaled(session.timeout, 1 + limits_.clock_error) + limits_.expiry_bound) {
      violate("sessions: the owner of {:x} died and its session is still there", id.value);
    }
  }
}

void SessionRules::nothing_left_of_the_dead() const {
  for (const auto& [id, session] : sessions_) {
    if (session.there && session.died) {
      violate("sessions: {:x} of a dead owner is there at the end", id.value);
    }
    if (session.there && !session.known) {
      violate("sessions: {:x}, which nobody ever heard of or touched, is there at the end",
              id.value);
    }
  }
}

}  // namespace ringside::sim
