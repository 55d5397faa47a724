// The app of `ringside exec`: one child process, as if our own parent had started it.
//
// Owned by App, on the control loop's thread. The app has our standard streams, our environment,
// whatever descriptors, ignored signals and limit of descriptors we were given, and nothing of what
// we opened ourselves.
// It leads a session of its own: Ctrl-C on a terminal reaches us alone, so that we can drain before
// we pass it on, and it still reads and writes that terminal (which only does not control its
// jobs). It outlives us if we are killed: an app that serves is worth more than a tidy process
// table.
//
// Good path: start(), reap() at each SIGCHLD, the status once it has ended. reap() takes every
// child that has ended, also those that the kernel gives to us as process 1 of a container. Failure
// path: start() cannot run the program: kNotFound, else kIo.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "config/base/error.h"

namespace ringside::app {

// What we were given, before we opened anything.
struct Inheritance {
  std::vector<int> descriptors;  // over 2, below kMaxDescriptor
  bool broken_pipes_ignored = false;
  std::optional<rlim_t> descriptor_limit;  // the soft one; none: ours is the app's too

  static constexpr int kMaxDescriptor = 256;  // one above is not handed on
  static Inheritance now();
};

class ChildProcess {
 public:
  // `command`: program and arguments; the program is looked for in PATH.
  ChildProcess(std::vector<std::string> command, Inheritance inheritance);

  Status start();
  // True when the app has ended just now.
  bool reap();
  [[nodiscard]] bool running() const { return pid_ > 0; }
  void send(int signal) const;
  // Of an app that has ended: its exit status, or 128 and the number of the signal that ended it.
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::string& program() const { return command_.front(); }

 private:
  std::vector<std::string> command_;
  Inheritance inheritance_;
  pid_t pid_ = 0;
  int status_ = 0;
};

}  // namespace ringside::app
