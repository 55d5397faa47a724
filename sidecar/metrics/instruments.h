// Counter, Gauge and Histogram: plain numbers that one thread writes and the scraper reads.
//
// Written by the thread that owns them (a worker loop or the control loop), read at any time by the
// thread that scrapes. One writer each, so that a write is a relaxed load and store, no locked
// instruction. A reader may see a histogram between two of its stores: its count is taken from its
// buckets, so that it always adds up.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "config/base/time.h"

namespace ringside::metrics {

class Counter {
 public:
  void add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void add(std::int64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(std::int64_t n) { value_.store(n, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Bucket bounds from 100 us to 60 s, the same for every histogram: upper bounds in microseconds,
// each inclusive; what is over the last falls in the bucket +Inf.
inline constexpr std::array<std::uint64_t, 18> kBucketBounds = {
    100,     250,     500,     1'000,     2'500,     5'000,     10'000,     25'000,     50'000,
    100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000};

class Histogram {
 public:
  static constexpr std::size_t kBuckets = kBucketBounds.size() + 1;

  // A negative duration counts as 0.
  void record(Duration elapsed);

  struct Values {
    std::array<std::uint64_t, kBuckets> counts{};  // per bucket, not cumulative
    std::uint64_t sum_ns = 0;
    Values& operator+=(const Values& other);
    [[nodiscard]] std::uint64_t count() const;
  };
  [[nodiscard]] Values values() const;

 private:
  std::array<Counter, kBuckets> counts_;
  Counter sum_ns_;
};

}  // namespace ringside::metrics
