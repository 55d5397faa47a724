// The sidecar at work: makes the parts, connects them, turns the control loop, and takes them down
// in order.
//
// Used by the command line (`run`, `exec`). One App per process, on the thread that calls run();
// that thread is the control loop. App itself only wires: what is decided stands in the parts
// (Registrar, ServiceView, RingMember, Shutdown).
#pragma once

#include <memory>

#include "config/settings.h"
#include "sidecar/app/child_process.h"
#include "sidecar/app/config_source.h"

namespace ringside::app {

class App {
 public:
  // `source` has been read once: `settings` is what it came to. `child` (`exec`): the app to run
  // once this sidecar is ready; null: the app is somebody else's.
  App(ConfigSource source, config::Settings settings,
      std::unique_ptr<ChildProcess> child = nullptr);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // Good path: opens ring, proxy and admin ports, serves until a signal, drains, returns 0. A part
  // that cannot start (a port in use, a data directory in use) is said on standard error and in the
  // log: 1. With a child its status (0 if it was never started), 127 or 126 where it cannot be run.
  int run();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace ringside::app
