// Keeps this sidecar's one session with the ring: opened at start, touched, opened anew when it has
// expired, closed by a clean stop.
//
// Owned by sidecar/app, on the control loop's thread; time comes as an argument. Who makes
// ephemeral znodes (Registrar, the admin API) asks for session() and reports an answer of
// kSessionExpired.
//
// clang-format off
//            open              granted                  close()
//   kNone ────────▶ (asking) ────────▶ kOpen ──────────────────────────▶ kClosed
//     ▲                                │  ▲ │                               ▲
//     │    contact with the ring lost  ▼  │ │                               │
//     │    and found again:            resume                               │
//     └── expired, or opened as another ────┘   close() without a session ──┘
//         member than this is now
// clang-format on
//
// A session stands for this member's data path too (its routed zxid), so one that was opened as
// another member (before a voter lost its disk) is given up for a new one. The old one is resumed
// by its secret and closed a little later, once what it owned had time to move to the new one:
// until it ends it holds back what the ring counts as routed. Where that fails it expires.
// Invariants: at most one request under way; session() is never one that is known to be gone; after
// close() none is opened any more.
#pragma once

#include <functional>
#include <string>

#include "config/base/bytes.h"
#include "config/base/time.h"
#include "sidecar/discovery/registry_client.h"

namespace ringside::discovery {

class SessionKeeper {
 public:
  using Log = std::function<void(const std::string&)>;
  using Changed = std::function<void(Instant)>;

  SessionKeeper(RegistryClient& client, milliseconds timeout, Log log);

  // Called after each change of session() and when it is closed; replaces the one before.
  void on_change(Changed changed) { changed_ = std::move(changed); }

  // Opens, touches, retries; call every 50 ms, and while at_rest() every touch_interval() at least.
  void tick(Instant now);
  // A session is held, the ring has confirmed it, and nothing is to be done but to touch it.
  [[nodiscard]] bool at_rest() const {
    return session_ && !pending_ && !closing_ && !former_.session &&
           client_.contact() == confirmed_;
  }
  [[nodiscard]] Duration touch_interval() const;
  // The ring has moved: contact may have been found again. Nothing to do costs nothing.
  void moved_on(Instant now) {
    if (!closed_ && client_.contact() != seen_) {
      seen_ = client_.contact();
      act(now);
    }
  }
  // A request under `session` was answered kSessionExpired; of an earlier session: nothing.
  void expired(Instant now, coord::SessionId session);
  // One was answered kSessionMoved: the ring is to be asked whose it is.
  void moved(Instant now, coord::SessionId session);
  // Everything ephemeral under it goes with it. Call tick() until closed().
  void close(Instant now);

  [[nodiscard]] coord::SessionId session() const { return session_; }  // 0: none now
  [[nodiscard]] milliseconds timeout() const { return timeout_; }
  [[nodiscard]] bool closed() const { return closed_; }
  // Why the last request failed; empty after a success.
  [[nodiscard]] const std::string& detail() const { return detail_; }

 private:
  void act(Instant now);
  void open();
  void resume();
  void end();
  void end_former();
  void failed(const coord::Reply& reply);
  void become(coord::SessionId session);

  RegistryClient& client_;
  milliseconds wanted_;
  milliseconds timeout_;  // as granted
  Log log_;
  Changed changed_;
  coord::SessionId session_;
  Bytes secret_;
  struct Former {  // opened as another member
    coord::SessionId session;
    Bytes secret;
    bool resumed = false;
    Instant end_at = kNever;
  };
  Former former_;
  Contact seen_;
  Contact opened_;     // as whom
  Contact confirmed_;  // the ring said in this contact that the session lives
  std::string detail_;
  bool closing_ = false;
  bool closed_ = false;
  bool pending_ = false;
  Duration retry_delay_{};
  Instant retry_at_{};
  Instant touch_at_{};
  Instant now_{};
};

}  // namespace ringside::discovery
