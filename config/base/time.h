// Time as a value. The pure rooms never read a clock: they take `now` as an Instant; where a
// calendar date must be kept (znode ctime and mtime, logs) they take a WallTime. Only sidecar/ and
// the simulator make either from a clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace ringside {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

using Duration = std::chrono::nanoseconds;

// The clock that Instants belong to. It has no now(): the caller says what time it is.
struct MonotonicClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicClock, Duration>;
  static constexpr bool is_steady = true;
};

using Instant = MonotonicClock::time_point;
inline constexpr Instant kNever = Instant::max();

// Milliseconds since 1970 (UTC).
using WallTime = std::chrono::sys_time<milliseconds>;

}  // namespace ringside
