#include "balancer/breaker/window.h"

#include <algorithm>
#include <cstddef>

namespace ringside::balancer {
namespace {

// The word of a bucket: calls, failed and slow, 21 bits each. `slow` and `failed` never pass
// `calls`, so watching `calls` keeps every field inside its bits; the room left is more than the
// number of workers that may add at the same moment.
constexpr unsigned kBits = 21;
constexpr std::uint64_t kMask = (std::uint64_t{1} << kBits) - 1;
constexpr std::uint64_t kFull = kMask - 4096;
constexpr std::uint64_t kOneCall = 1;
constexpr std::uint64_t kOneFailed = std::uint64_t{1} << kBits;
constexpr std::uint64_t kOneSlow = std::uint64_t{1} << (2 * kBits);

}  // namespace

std::int64_t ResultWindow::tick_of(Duration window, Instant now) {
  const std::int64_t width = std::max<std::int64_t>(1, window.count() / kBuckets);
  return now.time_since_epoch().count() / width;
}

// Makes the bucket count for `tick`; false when another thread is just doing so, or did so for
// another tick.
bool ResultWindow::renew(Bucket& bucket, std::int64_t tick) {
  std::int64_t seen = bucket.tick.load(std::memory_order_acquire);
  if (seen == tick) return true;
  if (seen == kBeingEmptied) return false;
  if (!bucket.tick.compare_exchange_strong(seen, kBeingEmptied, std::memory_order_acq_rel)) {
    return seen == tick;
  }
  bucket.counts.store(0, std::memory_order_relaxed);
  bucket.tick.store(tick, std::memory_order_release);
  return true;
}

void ResultWindow::add(Duration window, Instant now, bool failed, bool slow) {
  const std::int64_t tick = tick_of(window, now);
  Bucket& bucket = buckets_[static_cast<std::uint64_t>(tick) % kBuckets];
  if (!renew(bucket, tick)) return;
  if ((bucket.counts.load(std::memory_order_relaxed) & kMask) >= kFull) return;
  bucket.counts.fetch_add(kOneCall + (failed ? kOneFailed : 0) + (slow ? kOneSlow : 0),
                          std::memory_order_relaxed);
  if ((failed || slow) && last_bad_tick_.load(std::memory_order_relaxed) != tick) {
    last_bad_tick_.store(tick, std::memory_order_relaxed);
  }
}

WindowTotals ResultWindow::totals(Duration window, Instant now) const {
  const std::int64_t tick = tick_of(window, now);
  WindowTotals sum;
  for (const Bucket& bucket : buckets_) {
    const std::int64_t at = bucket.tick.load(std::memory_order_acquire);
    if (at > tick || at <= tick - kBuckets) continue;
    const std::uint64_t counts = bucket.counts.load(std::memory_order_relaxed);
    sum.calls += counts & kMask;
    sum.failed += counts >> kBits & kMask;
    sum.slow += counts >> (2 * kBits) & kMask;
  }
  return sum;
}

bool ResultWindow::may_hold_bad(Duration window, Instant now) const {
  return last_bad_tick_.load(std::memory_order_relaxed) > tick_of(window, now) - kBuckets;
}

void ResultWindow::clear() {
  for (Bucket& bucket : buckets_) bucket.tick.store(kEmpty, std::memory_order_release);
  last_bad_tick_.store(kEmpty, std::memory_order_relaxed);
}

}  // namespace ringside::balancer
