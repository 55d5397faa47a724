// The access log off the worker: a worker fills a small record and hands it over; another thread
// takes the records and writes the lines.
//
// AccessQueue: push by any worker, take by one reader (the control loop); bounded, full means
// dropped and counted. Nothing is formatted, and nothing allocated once the queue is warm, on a
// worker.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/time.h"
#include "config/settings.h"

namespace ringside::proxy {

// A text of at most N bytes by value; what is longer is cut.
template <std::size_t N>
class ShortText {
 public:
  ShortText() = default;
  ShortText& operator=(std::string_view text) {
    size_ = static_cast<std::uint16_t>(text.copy(bytes_.data(), N));
    return *this;
  }
  // HOST:PORT, an IPv6 host in brackets.
  void set_address(std::string_view host, std::uint16_t port) {
    const bool v6 = host.find(':') != std::string_view::npos;
    const auto end =
        fmt::format_to_n(bytes_.data(), N, "{}{}{}:{}", v6 ? "[" : "", host, v6 ? "]" : "", port);
    size_ = static_cast<std::uint16_t>(std::min(end.size, N));
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, N> bytes_;
  std::uint16_t size_ = 0;
};

struct AccessRecord {
  WallTime time;  // when the exchange began
  bool inbound = false;
  int code = 0;                 // as the caller got it; 499: the caller went away before
  std::uint32_t tries = 0;      // 0: never sent anywhere
  Duration duration{0};         // from the request's head to the end of the response
  std::uint64_t bytes_in = 0;   // body of the request as read
  std::uint64_t bytes_out = 0;  // body of the response as written
  std::string_view method;      // static
  std::string_view cause;       // static; empty: the answer is the service's own
  ShortText<128> request_id;
  ShortText<63> upstream;
  ShortText<80> endpoint;
  ShortText<256> path;
};

class AccessQueue {
 public:
  static constexpr std::size_t kCapacity = 16384;

  // False: full, dropped and counted.
  bool push(const AccessRecord& record);
  // Swaps everything that waits into `records` (cleared before).
  void take(std::vector<AccessRecord>& records);
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  std::mutex mutex_;
  std::vector<AccessRecord> waiting_;
  std::atomic<std::uint64_t> dropped_{0};
};

// One line without its end, as JSON or as text. Bytes that are not printable ASCII are escaped.
std::string format_access(const AccessRecord& record, config::LogFormat format);

}  // namespace ringside::proxy
