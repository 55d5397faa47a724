#include "balancer/pick.h"

#include "balancer/policies/least_connection.h"
#include "balancer/policies/rotation.h"

namespace ringside::balancer {

const char* to_string(PickFailure failure) {
  switch (failure) {
    case PickFailure::kNoEndpoints: return "no_endpoints";
    case PickFailure::kBreakerOpen: return "breaker_open";
    case PickFailure::kAllTried: return "all_tried";
  }
  return "unknown";
}

std::expected<Pick, PickFailure> pick(const Upstream& upstream, const PickContext& context) {
  if (upstream.candidates().empty()) return std::unexpected(PickFailure::kNoEndpoints);
  switch (upstream.settings().balance) {
    case config::Balance::kRoundRobin:
    case config::Balance::kWeighted: return pick_rotation(upstream, context);
    case config::Balance::kLeastConnection: break;
  }
  return pick_least_connection(upstream, context);
}

bool still_admitted(const Pick& pick) {
  return pick.host->host->still_admits(pick.upstream->settings().circuit_breaker, pick.stamp);
}

void settle(const Pick& pick, Outcome outcome, Duration took, Instant now) {
  pick.host->host->record(pick.upstream->settings().circuit_breaker, pick.stamp, outcome, took,
                          now);
}

void release(const Pick& pick) {
  pick.host->host->leave();
}

void report(const Pick& pick, Outcome outcome, Duration took, Instant now) {
  settle(pick, outcome, took, now);
  release(pick);
}

PickGuard& PickGuard::operator=(PickGuard&& other) noexcept {
  if (this == &other) return *this;
  finish();
  pick_ = std::exchange(other.pick_, Pick{});
  pin_ = std::move(other.pin_);
  host_ = std::move(other.host_);
  held_ = std::exchange(other.held_, false);
  settled_ = std::exchange(other.settled_, false);
  return *this;
}

void PickGuard::settle(Outcome outcome, Duration took, Instant now) {
  if (!held_ || settled_) return;
  settled_ = true;
  balancer::settle(pick_, outcome, took, now);
}

void PickGuard::let_table_go() {
  if (!held_ || !settled_ || host_ != nullptr) return;
  host_ = pick_.host->host;
  pick_ = Pick{};
  pin_ = Pin();
}

void PickGuard::finish() {
  if (!held_) return;
  if (host_ != nullptr) {
    held_ = false;
    std::exchange(host_, nullptr)->leave();
    return;
  }
  // A neutral outcome only gives a probe back: no time enters into it.
  settle(Outcome::kNeutral, Duration{0}, Instant{});
  held_ = false;
  release(pick_);
}

}  // namespace ringside::balancer
