// The clean stop, step by step (product.md, "Ready, live, lost"): leadership is handed over,
// draining is said and acknowledged, the entry goes, what is under way ends, the app ends (`exec`),
// the outbound proxy, the session, the process.
//
// clang-format off
//   kServing ─begin─▶ kHandingOver ─not leading─▶ kAnnouncing ─the ring has it─▶ kAcknowledging
//     ─all route around us─▶ kLeaving ─entry gone─▶ kEmptying ─nothing inbound─▶ kAppEnding
//     ─app ended─▶ kFinishing ─proxy idle─▶ kClosing ─session gone─▶ kParting ─not leading─▶ kDone
//
//   steps that wait for the ring are also left when their own time is up
//   drain.timeout ends all up to kEmptying, and kFinishing; never the app
//   app_ended: to kLeaving at once, from any step before it
// clang-format on
//
// Why in this order. A leader hands over first: what follows goes to a leader that stays, and no
// call waits for an election when the process ends (kParting: it may have been elected again
// meanwhile). The session ends last: while this sidecar still routes its app's calls, the drains of
// others must wait for it.
// Pure but for what it asks of its owner: time comes in, steps go out. Owned by App.
#pragma once

#include "config/base/time.h"
#include "config/settings.h"

namespace ringside::app {

class Shutdown {
 public:
  enum class Step {
    kServing,
    kHandingOver,
    kAnnouncing,
    kAcknowledging,
    kLeaving,
    kEmptying,
    kAppEnding,
    kFinishing,
    kClosing,
    kParting,
    kDone
  };

  struct World {
    bool leading = false;       // and another voter is connected, who may take over
    bool again = false;         // it was handed over, and the others would not have it either
    bool announced = false;     // the ring has our entry as draining, or there is none
    bool acknowledged = false;  // nobody sends here any more, or the wait for that is over
    bool left = false;          // the entry is gone
    bool emptied = false;       // nothing inbound is under way
    bool app_running = false;   // with `exec` only
    bool idle = false;          // the proxy has stopped
    bool closed = false;        // the session is gone
  };

  // Idempotent; false when it had begun already.
  bool begin(Instant now, const config::Drain& settings);
  // `exec`: there is nothing left to drain; begins the stop if need be.
  void app_ended(Instant now, const config::Drain& settings);
  // The step to be in now; call it on every tick. Never goes back.
  Step advance(Instant now, const World& world);
  [[nodiscard]] Step step() const { return step_; }

  static constexpr milliseconds kRingAnswer{2000};  // for handing over, announcing, leaving, each
  static constexpr milliseconds kFarewell{1000};    // for closing and parting, each
 private:
  [[nodiscard]] bool over(Instant now, const World& world) const;
  void enter(Step step, Instant now);

  Step step_ = Step::kServing;
  Instant entered_{};
  Instant deadline_ = kNever;
};

const char* to_string(Shutdown::Step step);

}  // namespace ringside::app
