// The drawing:
//
//        failures in a row | failure ratio | slow ratio
//   closed ─────────────────────────────────────────────▶ open ◀──────────────┐
//     ▲                                                    │ open_for is over │ a bad probe:
//     │ half_open_requests good probes                     ▼ and a call came  │ open_for doubles
//     └──────────────────────────────────────────────── half_open ────────────┘
//
// The table (results whose generation is not the present one are ignored in every state):
//
//   state      event                              next       effect
//   closed     call                               closed     admitted
//   closed     success                            closed     run = 0; into the window
//   closed     failure, a trigger is met          open       for open_for; generation + 1
//   closed     slow success, slow ratio met       open       for open_for; generation + 1
//   closed     neutral                            closed     nothing
//   open       call before open_until             open       rejected
//   open       call at or after open_until        half_open  admitted as probe; generation + 1
//   half_open  call, places left                  half_open  admitted as probe; out + 1
//   half_open  call, no place                     half_open  rejected
//   half_open  good probe, not the last           half_open  out - 1, good + 1
//   half_open  good probe, the last               closed     window and run empty; generation + 1
//   half_open  bad probe (failed; slow, if slow   open       for twice the last time, at most
//              calls count)                                  open_for_max; generation + 1
//   half_open  neutral probe                      half_open  out - 1: given back
//
// `opening` is a moment inside open: the thread that won the change writes open_until and only then
// makes it `open`, so that no other thread reads the end of an earlier opening.
#include "balancer/breaker/breaker.h"

#include <algorithm>

namespace ringside::balancer {
namespace {

enum : std::uint64_t { kWordClosed = 0, kWordHalfOpen = 1, kWordOpen = 2, kWordOpening = 3 };

constexpr std::uint64_t kMaxStrikes = 31;
constexpr unsigned kRunBits = 32;
constexpr std::uint64_t kRunMask = (std::uint64_t{1} << kRunBits) - 1;

bool ratios_on(const config::CircuitBreaker& settings) {
  return settings.failure_ratio > 0 || settings.slow_ratio > 0;
}

bool switched_on(const config::CircuitBreaker& settings) {
  return settings.consecutive_failures > 0 || ratios_on(settings);
}

bool reaches(std::uint64_t part, std::uint64_t whole, double ratio) {
  return ratio > 0 && static_cast<double>(part) >= ratio * static_cast<double>(whole);
}

// open_for, doubled once for each strike, up to open_for_max (never below open_for).
Duration open_time(const config::CircuitBreaker& settings, std::uint64_t strikes) {
  Duration time = settings.open_for;
  const Duration most = std::max<Duration>(settings.open_for, settings.open_for_max);
  for (std::uint64_t i = 0; i < strikes && time < most; ++i) time = std::min(2 * time, most);
  return time;
}

}  // namespace

const char* to_string(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed: return "closed";
    case BreakerState::kHalfOpen: return "half_open";
    case BreakerState::kOpen: return "open";
  }
  return "unknown";
}

const char* to_string(BreakerReason reason) {
  switch (reason) {
    case BreakerReason::kConsecutiveFailures: return "consecutive_failures";
    case BreakerReason::kFailureRatio: return "failure_ratio";
    case BreakerReason::kSlowRatio: return "slow_ratio";
    case BreakerReason::kOpenTimeOver: return "open_time_over";
    case BreakerReason::kProbeFailed: return "probe_failed";
    case BreakerReason::kProbesGood: return "probes_good";
  }
  return "unknown";
}

// state 2 bits, strikes 5 (probe rounds failed since it was last closed), out 10, good 10
// (half_open_requests is at most 1000), generation 37.
struct Breaker::Word {
  std::uint64_t state = kWordClosed;
  std::uint64_t strikes = 0;
  std::uint64_t out = 0;
  std::uint64_t good = 0;
  std::uint64_t generation = 1;

  static Word of(std::uint64_t bits) {
    return {.state = bits & 3U,
            .strikes = bits >> 2U & 31U,
            .out = bits >> 7U & 1023U,
            .good = bits >> 17U & 1023U,
            .generation = bits >> kGenerationShift};
  }

  [[nodiscard]] std::uint64_t bits() const {
    return state | strikes << 2U | out << 7U | good << 17U | generation << kGenerationShift;
  }

  [[nodiscard]] bool has_place(const config::CircuitBreaker& settings) const {
    return out == 0 || out + good < static_cast<std::uint64_t>(settings.half_open_requests);
  }
};

bool Breaker::would_admit(const config::CircuitBreaker& settings, Instant now) const {
  if (!switched_on(settings)) return true;
  const Word word = Word::of(word_.load(std::memory_order_acquire));
  switch (word.state) {
    case kWordClosed: return true;
    case kWordHalfOpen: return word.has_place(settings);
    case kWordOpen:
      return now.time_since_epoch().count() >= open_until_.load(std::memory_order_relaxed);
    default: return false;
  }
}

bool Breaker::still_admits(const config::CircuitBreaker& settings, BreakerStamp stamp) const {
  if (!switched_on(settings)) return true;
  const Word word = Word::of(word_.load(std::memory_order_acquire));
  return word.state == kWordClosed || word.generation == stamp.generation;
}

std::optional<Admission> Breaker::admit(const config::CircuitBreaker& settings, Instant now) {
  if (!switched_on(settings)) return Admission{};
  std::uint64_t seen = word_.load(std::memory_order_acquire);
  for (;;) {
    Word word = Word::of(seen);
    if (word.state == kWordClosed) {
      return Admission{.stamp = {.generation = word.generation}, .transition = std::nullopt};
    }
    std::optional<Transition> transition;
    if (word.state == kWordHalfOpen) {
      if (!word.has_place(settings)) return std::nullopt;
      ++word.out;
    } else {
      const bool over =
          now.time_since_epoch().count() >= open_until_.load(std::memory_order_relaxed);
      if (word.state != kWordOpen || !over) return std::nullopt;
      word.state = kWordHalfOpen;
      word.out = 1;
      word.good = 0;
      ++word.generation;
      transition = Transition{.to = BreakerState::kHalfOpen,
                              .reason = BreakerReason::kOpenTimeOver,
                              .open_for = Duration{0}};
    }
    if (word_.compare_exchange_weak(seen, word.bits(), std::memory_order_acq_rel,
                                    std::memory_order_acquire)) {
      return Admission{.stamp = {.generation = word.generation, .probe = true},
                       .transition = transition};
    }
  }
}

std::optional<Transition> Breaker::record(const config::CircuitBreaker& settings,
                                          BreakerStamp stamp, Outcome outcome, Duration took,
                                          Instant now) {
  const bool slow = settings.slow_ratio > 0 && took >= settings.slow_call;
  if (stamp.probe) return record_probe(settings, stamp, outcome, slow, now);
  if (outcome == Outcome::kNeutral || !switched_on(settings)) return std::nullopt;
  return record_closed(settings, stamp, outcome == Outcome::kFailure, slow, now);
}

std::optional<Transition> Breaker::record_closed(const config::CircuitBreaker& settings,
                                                 BreakerStamp stamp, bool failed, bool slow,
                                                 Instant now) {
  const std::uint64_t seen = word_.load(std::memory_order_acquire);
  const Word word = Word::of(seen);
  if (word.state != kWordClosed || word.generation != stamp.generation) return std::nullopt;

  const std::uint32_t run = count_run(stamp.generation, failed);
  if (ratios_on(settings)) window_.add(settings.window, now, failed, slow);
  if (failed && settings.consecutive_failures > 0 &&
      run >= static_cast<std::uint32_t>(settings.consecutive_failures)) {
    return trip(settings, seen, BreakerReason::kConsecutiveFailures, now);
  }
  // A good result can complete the volume, so it is looked at too unless the window holds no bad.
  if (!ratios_on(settings) || !window_.may_hold_bad(settings.window, now)) return std::nullopt;
  const WindowTotals totals = window_.totals(settings.window, now);
  if (totals.calls < static_cast<std::uint64_t>(settings.request_volume)) return std::nullopt;
  if (reaches(totals.failed, totals.calls, settings.failure_ratio)) {
    return trip(settings, seen, BreakerReason::kFailureRatio, now);
  }
  if (reaches(totals.slow, totals.calls, settings.slow_ratio)) {
    return trip(settings, seen, BreakerReason::kSlowRatio, now);
  }
  return std::nullopt;
}

// Failures in a row after this result. A run of another generation counts as none.
std::uint32_t Breaker::count_run(std::uint64_t generation, bool failed) {
  const std::uint64_t life = (generation & kRunMask) << kRunBits;
  std::uint64_t seen = run_.load(std::memory_order_relaxed);
  for (;;) {
    const std::uint64_t before = (seen & ~kRunMask) == life ? seen & kRunMask : 0;
    const std::uint64_t after = failed ? std::min(before + 1, kRunMask) : 0;
    const std::uint64_t next = life | after;
    if (next == seen || run_.compare_exchange_weak(seen, next, std::memory_order_relaxed)) {
      return static_cast<std::uint32_t>(after);
    }
  }
}

std::optional<Transition> Breaker::record_probe(const config::CircuitBreaker& settings,
                                                BreakerStamp stamp, Outcome outcome, bool slow,
                                                Instant now) {
  std::uint64_t seen = word_.load(std::memory_order_acquire);
  for (;;) {
    Word word = Word::of(seen);
    if (word.state != kWordHalfOpen || word.generation != stamp.generation) return std::nullopt;
    const bool bad = outcome == Outcome::kFailure || (outcome == Outcome::kSuccess && slow);
    if (bad) {
      if (auto opened = trip(settings, seen, BreakerReason::kProbeFailed, now)) return opened;
      seen = word_.load(std::memory_order_acquire);
      continue;
    }
    std::optional<Transition> transition;
    --word.out;
    const bool good = outcome == Outcome::kSuccess;
    if (good) ++word.good;
    if (good && word.good >= static_cast<std::uint64_t>(settings.half_open_requests)) {
      // Nobody counts into the window while half_open; it is empty before closed can be seen.
      window_.clear();
      word = Word{.generation = word.generation + 1};
      transition = Transition{.to = BreakerState::kClosed,
                              .reason = BreakerReason::kProbesGood,
                              .open_for = Duration{0}};
    }
    if (word_.compare_exchange_weak(seen, word.bits(), std::memory_order_acq_rel,
                                    std::memory_order_acquire)) {
      return transition;
    }
  }
}

// From the word `seen` (closed or half_open) to open; nothing if the word has changed meanwhile.
std::optional<Transition> Breaker::trip(const config::CircuitBreaker& settings, std::uint64_t seen,
                                        BreakerReason reason, Instant now) {
  const Word before = Word::of(seen);
  Word word{.state = kWordOpening, .generation = before.generation + 1};
  if (before.state == kWordHalfOpen) word.strikes = std::min(before.strikes + 1, kMaxStrikes);
  if (!word_.compare_exchange_strong(seen, word.bits(), std::memory_order_acq_rel)) {
    return std::nullopt;
  }
  const Duration open_for = open_time(settings, word.strikes);
  open_until_.store((now + open_for).time_since_epoch().count(), std::memory_order_relaxed);
  word.state = kWordOpen;
  word_.store(word.bits(), std::memory_order_release);
  return Transition{.to = BreakerState::kOpen, .reason = reason, .open_for = open_for};
}

BreakerState Breaker::state(const config::CircuitBreaker& settings) const {
  if (!switched_on(settings)) return BreakerState::kClosed;
  switch (Word::of(word_.load(std::memory_order_acquire)).state) {
    case kWordClosed: return BreakerState::kClosed;
    case kWordHalfOpen: return BreakerState::kHalfOpen;
    default: return BreakerState::kOpen;
  }
}

}  // namespace ringside::balancer
