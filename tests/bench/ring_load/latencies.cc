#include "tests/bench/ring_load/latencies.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ringside::bench {

namespace {

double in_ms(Duration took) {
  return std::chrono::duration<double, std::milli>(took).count();
}

// The smallest value that this share of all does not exceed.
double percentile(const std::vector<Duration>& sorted, double share) {
  if (sorted.empty()) {
    return std::nan("");
  }
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return in_ms(sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1]);
}

}  // namespace

void Latencies::done(Instant began, Instant now) {
  if (!took_.empty()) {
    pause_ = std::max(pause_, now - last_);
  }
  last_ = now;
  took_.push_back(now - began);
}

std::string Latencies::summary(Duration over) {
  std::ranges::sort(took_);
  const double per_second =
      static_cast<double>(took_.size()) / std::chrono::duration<double>(over).count();
  return fmt::format(
      "ops={} failed={} per_second={:.0f} p50_ms={:.3f} p99_ms={:.3f} p999_ms={:.3f} max_ms={:.3f} "
      "pause_ms={:.3f}",
      took_.size(), failed_, per_second, percentile(took_, 0.5), percentile(took_, 0.99),
      percentile(took_, 0.999), percentile(took_, 1.0), in_ms(pause_));
}

}  // namespace ringside::bench
