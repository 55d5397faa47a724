// Signals as calls on the control loop: TERM and INT ask for a clean stop, HUP for a reload. With
// an app to pass them on to (`exec`), HUP, QUIT, USR1, USR2 and WINCH are the app's, and CHLD says
// that it may have ended.
//
// Owned by App, loop thread only. Destroying it gives the signals back to their defaults. With an
// app, INT, QUIT and HUP stay ignored where they were at our start (nohup, a shell's background):
// the app inherits that.
#pragma once

#include <functional>

#include "sidecar/net/loop.h"

namespace ringside::app {

class Signals {
 public:
  struct Handlers {
    std::function<void(int signal)> on_stop;  // each time
    std::function<void()> on_reload;
    std::function<void(int signal)> on_other;  // `exec`: what is the app's; else empty
    std::function<void()> on_child;            // likewise
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
