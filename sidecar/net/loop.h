// One event loop: a libuv loop that belongs to the thread that runs it.
//
// Used by every room under sidecar/ that does I/O. Thread rule: everything but post() and stop()
// belongs to the thread in run() (before and after run(): to whoever owns the Loop). Streams,
// timers and the like refer to their Loop and must be destroyed before it.
// Invariants: 1. functions handed to post() run on the loop's thread, in the order of posting;
// 2. at most kMaxPosted of them wait; 3. after run() returned, what was posted but not run is
// dropped by the destructor, never called; 4. the destructor closes what is ours and CHECKs that
// nothing else is left open; 5. the first Loop of a process makes it ignore SIGPIPE.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "config/base/error.h"
#include "config/base/time.h"

struct uv_loop_s;

namespace ringside::net {

class SplicePipes;
class Timer;
class TurnEndTask;

class Loop {
 public:
  static constexpr std::size_t kMaxPosted = 65536;
  static constexpr std::size_t kReadBytes = 64 * 1024;

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Turns until stop(). May be called again afterwards.
  void run();
  // One turn; waits for events only where `wait` says so. For tests and for closing down.
  void turn(bool wait);
  // From any thread; a stop() before run() makes run() return at once.
  void stop();

  // Runs `task` on the loop's thread, from any thread (also from the loop's own: then in a later
  // turn). Refused (kTooLarge) while kMaxPosted tasks wait.
  [[nodiscard]] Status post(std::function<void()> task);

  // The monotonic clock, read now; and as it was when the loop last woke up (ms resolution, free).
  [[nodiscard]] Instant now() const;
  [[nodiscard]] Instant coarse_now() const;

  // Told at the end of each turn that did some work how long the work took. `observer` must not
  // throw and is kept until replaced.
  void observe_turns(std::function<void(Duration)> observer);
  // Marks that work of this turn begins; net's own callbacks do it, others that live on raw() must.
  void begin_work();

  // Where all streams of this loop read into: valid only inside one read callback.
  std::span<char> read_buffer() { return {read_buffer_.get(), kReadBytes}; }
  // What its streams forward through.
  SplicePipes& pipes() { return *pipes_; }
  [[nodiscard]] uv_loop_s* raw();

 private:
  friend class Timer;
  friend class TurnEndTask;
  struct Handles;
  void run_posted();
  void end_turn();

  std::unique_ptr<Handles> handles_;
  std::unique_ptr<char[]> read_buffer_;
  std::unique_ptr<SplicePipes> pipes_;
  std::function<void(Duration)> observer_;
  std::vector<TurnEndTask*> turn_end_;
  std::uint64_t work_began_ns_ = 0;  // 0: no work yet in this turn
  bool in_timers_ = false;           // a timer's callback is running

  std::atomic<bool> stop_asked_ = false;
  std::mutex mutex_;  // guards posted_
  std::vector<std::function<void()>> posted_;
  std::vector<std::function<void()>> running_;  // loop thread: kept for its capacity
};

}  // namespace ringside::net
