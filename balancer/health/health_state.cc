#include "balancer/health/health_state.h"

#include <algorithm>

namespace ringside::balancer {

const char* to_string(HealthPhase phase) {
  switch (phase) {
    case HealthPhase::kStarting: return "starting";
    case HealthPhase::kUp: return "up";
    case HealthPhase::kUnhealthy: return "unhealthy";
  }
  return "unknown";
}

HealthState::HealthState(const config::HealthCheck& check, Instant now)
    : check_(check), since_(now), due_(now) {
  if (check_.kind != config::HealthCheckKind::kNone) return;
  enter(HealthPhase::kUp, now);
  due_ = kNever;
}

HealthChange HealthState::on_result(bool passed, Instant began, Instant now) {
  if (check_.kind == config::HealthCheckKind::kNone) return HealthChange::kNone;  // a late result
  due_ = std::max(began + check_.interval, now);
  return passed ? on_pass(now) : on_failure(now);
}

HealthChange HealthState::on_pass(Instant now) {
  switch (phase_) {
    case HealthPhase::kStarting: enter(HealthPhase::kUp, now); return HealthChange::kRegister;
    case HealthPhase::kUp: run_ = 0; return HealthChange::kNone;
    case HealthPhase::kUnhealthy: break;
  }
  if (++run_ < check_.rise) return HealthChange::kNone;
  enter(HealthPhase::kUp, now);
  return HealthChange::kMarkUp;
}

HealthChange HealthState::on_failure(Instant now) {
  switch (phase_) {
    case HealthPhase::kStarting: return HealthChange::kNone;
    case HealthPhase::kUnhealthy: run_ = 0; return HealthChange::kNone;
    case HealthPhase::kUp: break;
  }
  if (++run_ < check_.fall) return HealthChange::kNone;
  enter(HealthPhase::kUnhealthy, now);
  return HealthChange::kMarkUnhealthy;
}

HealthChange HealthState::reconfigure(const config::HealthCheck& check, Instant now) {
  check_ = check;
  run_ = 0;
  due_ = now;
  if (check_.kind != config::HealthCheckKind::kNone) return HealthChange::kNone;
  due_ = kNever;
  const HealthPhase before = phase_;
  if (before == HealthPhase::kUp) return HealthChange::kNone;
  enter(HealthPhase::kUp, now);
  return before == HealthPhase::kStarting ? HealthChange::kRegister : HealthChange::kMarkUp;
}

void HealthState::enter(HealthPhase phase, Instant now) {
  phase_ = phase;
  since_ = now;
  run_ = 0;
}

}  // namespace ringside::balancer
