// epoll and sockets for the two programs of the drills: one thread, callbacks by descriptor.
//
// A callback may close any descriptor, its own too: events of the same turn that belong to one that
// was closed are dropped. What the operating system refuses here ends the program with a sentence:
// a drill without its load proves nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ringside::drill {

// CLOCK_MONOTONIC in milliseconds with fractions: the clock of Python's time.monotonic().
double now_ms();

[[noreturn]] void give_up(std::string_view what);

class Poller {
 public:
  using Callback = std::function<void(std::uint32_t events)>;

  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void add(int fd, std::uint32_t events, Callback callback);
  void change(int fd, std::uint32_t events);
  // Takes it away and closes it.
  void close(int fd);
  // Waits at most so long and calls back.
  void turn(int timeout_ms);

 private:
  int epoll_;
  std::unordered_map<int, std::uint64_t> living_;  // the number under which it was added
  std::unordered_map<std::uint64_t, Callback> callbacks_;
  std::uint64_t added_ = 0;
  std::vector<std::uint64_t> dead_;  // their callbacks go after the turn: one may be running
};

// Nonblocking, without delay, on loopback; -1 and errno where it could not be done.
int listen_on(int port);
int begin_connect(int port);
int accept_from(int listener);

}  // namespace ringside::drill
