// Breaker: keeps calls away from one endpoint that fails, and lets a few probes find out when it
// is well again.
//
// Called by Host for each pick (admit) and each result (record), from every worker at once.
// Lock-free: the state, its generation and the probes are one 64-bit word that changes by
// compare-and-set. Owned by its Host, so it outlives host-set versions. Settings come with each
// call (a reload changes them without touching the state). The drawing and the table of
// transitions open breaker.cc.
//
// Invariants
// 1. Every change of state raises the generation. A result counts only for the generation that its
//    call was admitted in; a late one is ignored.
// 2. In half_open, probes out + probes found good <= half_open_requests (one more probe is
//    admitted when a reload lowered that number and none is out, so the state is never stuck).
// 3. Exactly one of the threads that see a reason for a change makes it; it gets the Transition.
// 4. A neutral outcome changes nothing, except that a probe is given back.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "balancer/breaker/window.h"
#include "balancer/cause.h"
#include "config/base/time.h"
#include "config/settings.h"

namespace ringside::balancer {

// In the order of ringside_circuit_breaker_state.
enum class BreakerState : std::uint8_t { kClosed = 0, kHalfOpen = 1, kOpen = 2 };
const char* to_string(BreakerState state);  // "closed", "half_open", "open"

enum class BreakerReason : std::uint8_t {
  kConsecutiveFailures,  // closed -> open
  kFailureRatio,         // closed -> open
  kSlowRatio,            // closed -> open
  kOpenTimeOver,         // open -> half_open
  kProbeFailed,          // half_open -> open
  kProbesGood,           // half_open -> closed
};
const char* to_string(BreakerReason reason);  // "consecutive_failures", ...

// What happened, for the log line and the counters.
struct Transition {
  BreakerState to = BreakerState::kClosed;
  BreakerReason reason = BreakerReason::kProbesGood;
  Duration open_for{0};  // to kOpen: how long until the first probe

  bool operator==(const Transition&) const = default;
};

// Which life of the breaker a call belongs to; handed back with its result.
struct BreakerStamp {
  std::uint64_t generation = 0;  // 0: admitted while the breaker was switched off
  bool probe = false;
};

struct Admission {
  BreakerStamp stamp;
  std::optional<Transition> transition;  // open -> half_open, made by this admission
};

class Breaker {
 public:
  Breaker() = default;
  Breaker(const Breaker&) = delete;
  Breaker& operator=(const Breaker&) = delete;

  // True when admit() would let a call pass now (another thread may be faster). Changes nothing.
  [[nodiscard]] bool would_admit(const config::CircuitBreaker& settings, Instant now) const;

  // True while a call that was admitted and has not gone out yet may still go: closed, or in the
  // life of the breaker that admitted it.
  [[nodiscard]] bool still_admits(const config::CircuitBreaker& settings, BreakerStamp stamp) const;

  // Lets a call pass, or not. An admitted call must be followed by exactly one record().
  std::optional<Admission> admit(const config::CircuitBreaker& settings, Instant now);

  // The result of an admitted call; `took` counts for the slow-call ratio.
  std::optional<Transition> record(const config::CircuitBreaker& settings, BreakerStamp stamp,
                                   Outcome outcome, Duration took, Instant now);

  // For people: an open breaker whose time is over is open until a call probes it. A breaker that
  // is switched off (every trigger 0) is closed.
  [[nodiscard]] BreakerState state(const config::CircuitBreaker& settings) const;

 private:
  struct Word;  // the fields of word_, in breaker.cc

  std::optional<Transition> record_closed(const config::CircuitBreaker& settings,
                                          BreakerStamp stamp, bool failed, bool slow, Instant now);
  std::optional<Transition> record_probe(const config::CircuitBreaker& settings, BreakerStamp stamp,
                                         Outcome outcome, bool slow, Instant now);
  std::optional<Transition> trip(const config::CircuitBreaker& settings, std::uint64_t seen,
                                 BreakerReason reason, Instant now);
  std::uint32_t count_run(std::uint64_t generation, bool failed);

  static constexpr unsigned kGenerationShift = 27;

  std::atomic<std::uint64_t> word_{std::uint64_t{1} << kGenerationShift};  // closed, generation 1
  std::atomic<std::uint64_t> run_{0};        // generation (low 32 bits), failures in a row
  std::atomic<std::int64_t> open_until_{0};  // written only by the thread that opened it
  ResultWindow window_;
};

}  // namespace ringside::balancer
