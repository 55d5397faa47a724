// When the control loop's next tick is due: often while something is in motion, else along with the
// ring's heartbeats, so that an idle sidecar wakes up no oftener than the ring wakes it.
//
// Pure. Owned by App, on the control loop's thread. Invariants: two ticks are at least kTick apart,
// unless what a person or the app waits for asks for one at once; and at most kCalm, however silent
// the ring is.
#pragma once

#include <algorithm>

#include "config/base/time.h"

namespace ringside::app {

class Pace {
 public:
  static constexpr milliseconds kTick{50};
  // Over a heartbeat interval (100 ms), so that a heartbeat comes first.
  static constexpr milliseconds kCalm{150};

  void ticked(Instant now, bool in_motion) {
    last_ = now;
    due_ = now + (in_motion ? kTick : kCalm);
  }
  // The loop is awake anyway.
  void along(Instant now) {
    if (now - last_ >= kTick) {
      due_ = std::min(due_, now);
    }
  }
  // Something has changed.
  void soon() { due_ = std::min(due_, last_ + kTick); }
  // Somebody waits.
  void at_once(Instant now) { due_ = std::min(due_, now); }

  [[nodiscard]] Instant due() const { return due_; }

 private:
  Instant last_{};
  Instant due_{};
};

}  // namespace ringside::app
