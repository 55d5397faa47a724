// How fast this member gives out snapshots, to all receivers and its own disk together: a token
// bucket on the driver's time, so that a snapshot never takes what writes need. Pure; one owner.
//
// A piece may leave while anything is left in the bucket and may overdraw it; the next one waits
// until that is paid.
#pragma once

#include <algorithm>
#include <cstdint>

#include "config/base/time.h"

namespace ringside::coord {

class Bandwidth {
 public:
  Bandwidth(std::uint64_t bytes_per_second, Instant now)
      : rate_(static_cast<double>(std::max<std::uint64_t>(bytes_per_second, 1))),
        left_(burst()),
        at_(now) {}

  void advance(Instant now) {
    left_ = std::min(burst(), left_ + rate_ * seconds_of(now - at_));
    at_ = now;
  }
  [[nodiscard]] bool open() const { return left_ > 0; }
  void take(std::uint64_t bytes) { left_ -= static_cast<double>(bytes); }
  // When the next piece may leave.
  [[nodiscard]] Instant opens_at() const {
    return open() ? at_ : at_ + Duration(static_cast<std::int64_t>(-left_ / rate_ * 1e9) + 1);
  }

 private:
  static constexpr double kBurstSeconds = 0.02;
  [[nodiscard]] double burst() const { return std::max(1.0, rate_ * kBurstSeconds); }
  [[nodiscard]] static double seconds_of(Duration time) {
    return static_cast<double>(time.count()) / 1e9;
  }

  double rate_;
  double left_;
  Instant at_;
};

}  // namespace ringside::coord
