// What the loads count: answers, failures and how long each write took. A value of one thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/base/time.h"

namespace ringside::bench {

class Latencies {
 public:
  void done(Instant began, Instant now);
  void failed() { ++failed_; }
  [[nodiscard]] std::size_t count() const { return took_.size(); }
  // "ops=… failed=… per_second=… p50_ms=… p99_ms=… p999_ms=… max_ms=… pause_ms=…"; the pause is the
  // longest between two answers.
  std::string summary(Duration over);

 private:
  std::vector<Duration> took_;
  std::size_t failed_ = 0;
  Instant last_{};
  Duration pause_{};
};

}  // namespace ringside::bench
