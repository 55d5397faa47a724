// ResultWindow: how many calls ended, failed and were slow during the last window, in 10 buckets.
//
// Called by Breaker from every worker; lock-free. Owned by the breaker.
//
// Each bucket is the number of its tenth (tick) and one word with three counts of 21 bits, so that
// adding is one fetch_add. A tick ahead of the bucket's empties it first.
// Precision: exact with one thread. With more, a result may be lost (or counted in a bucket that
// is just being emptied) only when it races with the first result of a new tenth: at most one per
// worker and tenth. A bucket that has counted two million results takes no more: its ratio stands.
// A window of other length starts anew, since its ticks are other numbers.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "config/base/time.h"

namespace ringside::balancer {

struct WindowTotals {
  std::uint64_t calls = 0;
  std::uint64_t failed = 0;
  std::uint64_t slow = 0;  // a call may be both failed and slow

  bool operator==(const WindowTotals&) const = default;
};

class ResultWindow {
 public:
  // Counts one result at `now`; `window` is the length of all 10 buckets, at least 10 ns.
  void add(Duration window, Instant now, bool failed, bool slow);

  // Sums over the tenth that `now` falls in and the nine before it.
  [[nodiscard]] WindowTotals totals(Duration window, Instant now) const;

  // False when no failed or slow result can be inside the window: totals() is not worth summing.
  [[nodiscard]] bool may_hold_bad(Duration window, Instant now) const;

  void clear();

 private:
  static constexpr int kBuckets = 10;

  struct Bucket {
    std::atomic<std::int64_t> tick{kEmpty};
    std::atomic<std::uint64_t> counts{0};
  };

  static constexpr std::int64_t kEmpty = INT64_MIN;
  static constexpr std::int64_t kBeingEmptied = INT64_MAX;

  static std::int64_t tick_of(Duration window, Instant now);
  static bool renew(Bucket& bucket, std::int64_t tick);

  std::array<Bucket, kBuckets> buckets_;
  std::atomic<std::int64_t> last_bad_tick_{kEmpty};
};

}  // namespace ringside::balancer
