// The counters of one loop: what a worker writes while it serves, summed over all workers at
// scrape.
//
// Each worker owns one WorkerMetrics and is the only one that writes it or calls upstream(); the
// scraper (scrape.h) reads it from another thread. A mutex guards only the table of upstreams, and
// is taken when a new one is made and, for a copy of the table, at scrape: never for a request on a
// known upstream.
// UpstreamStats are never removed, so that a counter never falls and a reference stays good for the
// life of the process. Cardinality is bounded: kMaxUpstreams names per worker, further ones share
// "(other)"; names that are no service are to be counted under kUnknownUpstream by the caller.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sidecar/metrics/instruments.h"

namespace ringside::metrics {

inline constexpr std::string_view kUnknownUpstream = "(unknown)";
inline constexpr std::string_view kOtherUpstreams = "(other)";
inline constexpr std::size_t kMaxUpstreams = 4096;

// One counter per exact status, 100 to 599, plus one for anything else (code "other"). Blocks of a
// hundred are made on first use; a reader sees a block whole or not at all.
class CodeCounters {
 public:
  CodeCounters() = default;
  ~CodeCounters();
  CodeCounters(const CodeCounters&) = delete;
  CodeCounters& operator=(const CodeCounters&) = delete;

  void add(int status);
  // Adds to `sums`, by status; 0 stands for "other".
  void collect(std::map<int, std::uint64_t>& sums) const;

 private:
  using Block = std::array<Counter, 100>;
  std::array<std::atomic<Block*>, 5> blocks_{};
  Counter other_;
};

// A small set of counters by word (a cause, a reason), in the order of first use. A word that is
// too long, or comes when all slots are taken, counts under "other".
template <std::size_t Slots>
class WordTable {
 public:
  static constexpr std::size_t kSlots = Slots;
  static constexpr std::size_t kMaxWord = 31;

  void add(std::string_view word);
  void collect(std::map<std::string, std::uint64_t, std::less<>>& sums) const;

 private:
  struct Slot {
    std::array<char, kMaxWord> text{};
    std::uint8_t size = 0;
    Counter count;
    [[nodiscard]] std::string_view word() const { return {text.data(), size}; }
  };

  std::array<Slot, kSlots> slots_;
  std::atomic<std::size_t> used_{0};  // slots below it are written and never change their word
  Counter other_;
};
extern template class WordTable<16>;
extern template class WordTable<64>;
using WordCounters = WordTable<16>;
using ReasonCounters = WordTable<64>;  // there are about forty ways to be no HTTP/1.1

// What a worker knows of its calls to one upstream.
struct UpstreamStats {
  CodeCounters requests;  // an exchange once, however many tries, by the status that the caller got
  WordCounters errors;    // by cause, as in x-ringside-error
  WordCounters retries;   // by reason: connect_failure, refused, reset, timeout, or the status
  Histogram duration;
  Gauge in_flight;
  Gauge pending;  // of those in flight: waiting for a permit of the upstream's limits
};

struct InboundStats {
  CodeCounters requests;
  Histogram duration;
  Gauge in_flight;
};

class WorkerMetrics {
 public:
  // `loop` names it in ringside_loop_turn_seconds, e.g. "worker-0", "control".
  explicit WorkerMetrics(std::string loop) : loop_(std::move(loop)) {}

  // Made on first use. The reference stays good as long as this object.
  UpstreamStats& upstream(std::string_view name);
  InboundStats inbound;
  ReasonCounters bad_requests;   // refused as no valid HTTP/1.1 or too large, at either port
  ReasonCounters bad_responses;  // the same of what upstreams answered
  Histogram loop_turn;

  // For the scraper: the upstreams so far. Names and stats stay good as long as this object, so
  // that they are read after the mutex is free again.
  struct NamedStats {
    std::string_view name;
    const UpstreamStats* stats;
  };
  [[nodiscard]] std::vector<NamedStats> upstreams() const;
  [[nodiscard]] const std::string& loop() const { return loop_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  std::string loop_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<UpstreamStats>, Hash, std::equal_to<>> upstreams_;
};

}  // namespace ringside::metrics
