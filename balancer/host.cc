#include "balancer/host.h"

#include <utility>

#include "config/base/check.h"

namespace ringside::balancer {

Host::Host(HostIdentity identity, std::shared_ptr<UpstreamState> state,
           std::shared_ptr<TransitionLog> log)
    : identity_(std::make_shared<const HostIdentity>(std::move(identity))),
      state_(std::move(state)),
      log_(std::move(log)) {
  CHECK(state_ != nullptr && log_ != nullptr);
}

bool Host::enter_if_at_most(std::uint32_t seen) {
  std::uint32_t running = in_flight_.load(std::memory_order_relaxed);
  while (running <= seen) {
    if (in_flight_.compare_exchange_weak(running, running + 1, std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

std::optional<BreakerStamp> Host::admit(const config::CircuitBreaker& settings, Instant now) {
  const std::optional<Admission> admission = breaker_.admit(settings, now);
  if (!admission) return std::nullopt;
  if (admission->transition) announce(*admission->transition, now);
  return admission->stamp;
}

void Host::record(const config::CircuitBreaker& settings, BreakerStamp stamp, Outcome outcome,
                  Duration took, Instant now) {
  const auto transition = breaker_.record(settings, stamp, outcome, took, now);
  if (transition) announce(*transition, now);
}

void Host::announce(const Transition& transition, Instant now) {
  state_->transitions[static_cast<std::size_t>(transition.to)].fetch_add(1,
                                                                         std::memory_order_relaxed);
  // A full log counts what it drops (TransitionLog::dropped); the counters above miss nothing.
  static_cast<void>(log_->push({.host = identity_, .transition = transition, .at = now}));
}

}  // namespace ringside::balancer
