// What a run tells: a violation ends it; trace lines with virtual time are made only when asked
// for.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <stdexcept>
#include <string>

#include "tests/sim/event_queue.h"

namespace ringside::sim {

// A broken rule of the ring. Thrown through whatever found it; the run is over.
class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <typename... Args>
[[noreturn]] void violate(fmt::format_string<Args...> format, Args&&... args) {
  throw Violation(fmt::format(format, std::forward<Args>(args)...));
}

class Trace {
 public:
  // Printed, or added to `into`.
  Trace(const EventQueue& queue, bool on, std::string* into = nullptr)
      : queue_(queue), on_(on), into_(into) {}

  template <typename... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) {
    if (on_) {
      const double seconds = std::chrono::duration<double>(queue_.now().time_since_epoch()).count();
      const std::string line =
          fmt::format("{:>11.6f}  {}\n", seconds, fmt::format(format, std::forward<Args>(args)...));
      if (into_ != nullptr) {
        *into_ += line;
      } else {
        fmt::print("{}", line);
      }
    }
  }
  [[nodiscard]] bool on() const { return on_; }

 private:
  const EventQueue& queue_;
  bool on_;
  std::string* into_;
};

}  // namespace ringside::sim
