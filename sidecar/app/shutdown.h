// The clean stop, step by step (product.md, "Ready, live, lost"): draining is said, others see it,
// the entry goes, leadership is handed over, what is in flight ends, the process ends.
//
//   serving ─begin─▶ announcing ─settled─▶ settling ─drain.settle─▶ leaving ─left─▶ handing_over
//   ─not leading─▶ finishing ─idle─▶ done
//
//   every step but the last is also left when its own time is up; all of it when drain.timeout is
//   up
//
// Pure but for what it asks of its owner: time comes in, steps go out. Owned by App.
#pragma once

#include "config/base/time.h"
#include "config/settings.h"

namespace ringside::app {

class Shutdown {
 public:
  enum class Step { kServing, kAnnouncing, kSettling, kLeaving, kHandingOver, kFinishing, kDone };

  struct World {
    bool entry_settled = false;  // the ring has our entry as draining, or there is none
    bool alone = false;          // nobody to wait for: no entry, or no other sidecar is connected
    bool left = false;           // entry and session are gone
    bool leading = false;        // and another voter is connected, who may take over
    bool idle = false;           // no exchange is running
  };

  explicit Shutdown(const config::Drain& settings) : settings_(settings) {}

  // Idempotent; false when it had begun already.
  bool begin(Instant now);
  // The step to be in now; call it on every tick. Never goes back.
  Step advance(Instant now, const World& world);
  [[nodiscard]] Step step() const { return step_; }

  static constexpr milliseconds kRingAnswer{
      2000};  // for announcing, leaving and handing over, each
 private:
  void enter(Step step, Instant now);

  config::Drain settings_;
  Step step_ = Step::kServing;
  Instant entered_{};
  Instant deadline_ = kNever;
};

const char* to_string(Shutdown::Step step);

}  // namespace ringside::app
