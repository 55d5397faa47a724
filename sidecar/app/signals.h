// Signals as calls on the control loop: TERM and INT ask for a clean stop, HUP for a reload.
//
// Owned by App, loop thread only. Destroying it gives the signals back to their defaults.
#pragma once

#include <functional>

#include "sidecar/net/loop.h"

namespace ringside::app {

class Signals {
 public:
  struct Handlers {
    std::function<void(int signal)> on_stop;  // each time
    std::function<void()> on_reload;
  };

  Signals(net::Loop& loop, Handlers handlers);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  struct Impl;
  Impl* impl_;  // frees itself when libuv has closed its handles
};

}  // namespace ringside::app
