// Rules about sessions and ephemerals, checked once per transaction of the global history (equal
// digests carry them over to every member). Pure: values in, a Violation out.
//
//   - an ephemeral is there exactly as long as its session: none without, none gone before; while a
//     session ends in slices, none is made, and it does not come back
//   - a session ends by its owner's close or by expiry; an expiry comes no earlier than one timeout
//     after the leader that expires it began, and never, in a calm ring, while its owner touches it
//   - the session of an owner that died is gone within its timeout and a bound, in a calm ring
// Calm: no fault is active and one leader has led since `calm_since`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coord/zab/types.h"
#include "tests/sim/trace.h"

namespace ringside::sim {

using coord::SessionId;

struct NodeChange {
  bool created = false;  // else deleted; other changes do not matter here
  std::string path;
  SessionId owner;  // of a created one; 0: not ephemeral
};

struct SessionLimits {
  Duration expiry_bound = seconds(3);  // from timeout to gone, leader's slowness included
  Duration touch_slack = milliseconds(900);
  double clock_error = 0.12;  // of the leader's clock, either way
};

class SessionRules {
 public:
  explicit SessionRules(SessionLimits limits = {}) : limits_(limits) {}

  // --- the ring's side
  void led(Instant now, coord::Epoch epoch) { led_since_.try_emplace(epoch, now); }
  void calm(std::optional<Instant> since) { calm_since_ = since; }
  // A transaction extended the history; `sessions` are those of the state after it, `closing` those
  // of them that are ending in slices.
  void transaction(Instant now, coord::Zxid zxid, const std::vector<SessionId>& sessions,
                   const std::vector<NodeChange>& changes,
                   const std::vector<SessionId>& closing = {});
  // From time to time: is anything there that should be gone?
  void overdue(Instant now) const;

  // --- the owners' side
  void opened(Instant now, SessionId session, milliseconds timeout);
  void touched(Instant now, SessionId session);
  void closing(SessionId session);
  void owner_died(Instant now, SessionId session);
  // At the very end, the ring healed long ago.
  void nothing_left_of_the_dead() const;

  [[nodiscard]] std::size_t expired() const { return expired_; }
  [[nodiscard]] std::size_t ephemerals() const { return ephemerals_.size(); }

 private:
  struct Session {
    milliseconds timeout{};
    Instant touched_since{};  // touched without a break from here...
    Instant last_touch{};     // ...to here
    std::optional<Instant> died;
    bool closing = false;
    bool known = false;  // its owner has heard of it
    bool there = false;
    bool ending = false;  // in slices
  };

  void ended(Instant now, coord::Zxid zxid, SessionId id, Session& session);
  void check_ephemerals(coord::Zxid zxid) const;

  SessionLimits limits_;
  std::map<SessionId, Session> sessions_;
  std::map<std::string, SessionId> ephemerals_;
  std::map<coord::Epoch, Instant> led_since_;
  std::optional<Instant> calm_since_;
  std::size_t expired_ = 0;
};

}  // namespace ringside::sim
