// HealthState: what the results of the local health check make of our own instance.
//
// Driven by sidecar/health on the control loop: it runs a check when due() has come, hands the
// result in and tells the registrar what changed. Pure, one thread.
//
//                    pass (one)                 fall failures in a row
//   starting ────────────────────────▶ up ────────────────────────────▶ unhealthy
//      │ failure: stays                 ▲                                    │
//      └──◀                             └────────────────────────────────────┘
//                                               rise passes in a row
//
//   state      pass                               failure
//   starting   up, kRegister                      starting
//   up         up, failures = 0                   failures + 1; at fall: unhealthy, kMarkUnhealthy
//   unhealthy  passes + 1; at rise: up, kMarkUp   unhealthy, passes = 0
//
// An app that is not up yet when its sidecar starts is `starting`, not unhealthy: the first pass
// registers it, whatever `rise` says. Kind none is up from the first moment.
#pragma once

#include <cstdint>

#include "config/base/time.h"
#include "config/settings.h"

namespace ringside::balancer {

enum class HealthPhase : std::uint8_t { kStarting, kUp, kUnhealthy };
const char* to_string(HealthPhase phase);  // "starting", "up", "unhealthy"

enum class HealthChange : std::uint8_t { kNone, kRegister, kMarkUp, kMarkUnhealthy };

class HealthState {
 public:
  // The first check is due at once.
  HealthState(const config::HealthCheck& check, Instant now);

  [[nodiscard]] HealthPhase phase() const { return phase_; }
  [[nodiscard]] Instant since() const { return since_; }  // when the phase was entered
  // When the next check is to start; kNever for kind none.
  [[nodiscard]] Instant due() const { return due_; }

  // A check that began at `began` has ended at `now`: the next one is due an interval after it
  // began (at once when it took longer).
  HealthChange on_result(bool passed, Instant began, Instant now);

  // A reload changed the check. The phase stays and the counts begin anew; kRegister or kMarkUp
  // when the kind became none.
  HealthChange reconfigure(const config::HealthCheck& check, Instant now);

 private:
  HealthChange on_pass(Instant now);
  HealthChange on_failure(Instant now);
  void enter(HealthPhase phase, Instant now);

  config::HealthCheck check_;
  HealthPhase phase_ = HealthPhase::kStarting;
  Instant since_;
  Instant due_;
  int run_ = 0;  // kUp: failures in a row; kUnhealthy: passes in a row
};

}  // namespace ringside::balancer
