// A one-shot or repeating timer of a Loop.
//
// Owned by who waits for it; loop thread only. Destroying it, also from inside its own callback,
// stops it: the callback never runs after that. Resolution 1 ms, rounded up. What a timer's
// callback starts fires in a later turn, 1 ms later at the earliest, so that work in slices lets
// others in.
#pragma once

#include <functional>

#include "config/base/time.h"
#include "sidecar/net/loop.h"

namespace ringside::net {

class Timer {
 public:
  Timer(Loop& loop, std::function<void()> on_fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Fires once after `delay` (a running timer starts again from now).
  void start(Duration delay);
  // Fires every `period` (at least 1 ms), first after one period.
  void start_repeating(Duration period);
  void stop();
  [[nodiscard]] bool active() const;

 private:
  struct Impl;
  Impl* impl_;  // frees itself in libuv's close callback
};

}  // namespace ringside::net
