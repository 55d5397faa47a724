#include "sidecar/metrics/instruments.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace ringside::metrics {
namespace {

// For each bit width of a number of microseconds: the first bucket that may hold it.
consteval std::array<std::uint8_t, 65> first_buckets() {
  std::array<std::uint8_t, 65> first{};
  for (unsigned width = 1; width <= 64; ++width) {
    const std::uint64_t smallest = std::uint64_t{1} << (width - 1);
    std::uint8_t bucket = 0;
    while (bucket < kBucketBounds.size() && kBucketBounds[bucket] < smallest) {
      ++bucket;
    }
    first[width] = bucket;
  }
  return first;
}
constexpr std::array<std::uint8_t, 65> kFirstBuckets = first_buckets();

}  // namespace

void Histogram::record(Duration elapsed) {
  const auto ns = static_cast<std::uint64_t>(std::max<Duration::rep>(elapsed.count(), 0));
  const std::uint64_t us = (ns + 999) / 1000;
  std::size_t bucket = kFirstBuckets[static_cast<std::size_t>(std::bit_width(us))];
  while (bucket < kBucketBounds.size() && us > kBucketBounds[bucket]) {
    ++bucket;
  }
  counts_[bucket].add();
  sum_ns_.add(ns);
}

Histogram::Values Histogram::values() const {
  Values values;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    values.counts[i] = counts_[i].value();
  }
  values.sum_ns = sum_ns_.value();
  return values;
}

Histogram::Values& Histogram::Values::operator+=(const Values& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) {
    counts[i] += other.counts[i];
  }
  sum_ns += other.sum_ns;
  return *this;
}

std::uint64_t Histogram::Values::count() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

}  // namespace ringside::metrics
