// Checks the local app on its schedule and says what its instance is: runs Probes, asks
// balancer::HealthState.
//
// Owned by sidecar/app, on the control loop's thread. At most one probe at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "balancer/health/health_state.h"
#include "config/settings.h"
#include "sidecar/health/probe.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/timer.h"

namespace ringside::health {

class Checker {
 public:
  // Told at the first pass and at each change afterwards, with the reason of the last failure.
  using OnChange = std::function<void(balancer::HealthPhase phase, const std::string& reason)>;

  Checker(net::Loop& loop, const config::Service& service, OnChange on_change);

  void reconfigure(const config::HealthCheck& check);
  [[nodiscard]] balancer::HealthPhase phase() const { return state_.phase(); }
  // Why the last probe failed; empty after a pass.
  [[nodiscard]] const std::string& last_failure() const { return last_failure_; }

 private:
  void arm();
  void begin();
  void finished(const std::string& failure);

  net::Loop& loop_;
  config::Address address_;
  config::HealthCheck check_;
  OnChange on_change_;
  balancer::HealthState state_;
  net::Timer timer_;
  std::unique_ptr<Probe> probe_;
  Instant began_{};
  std::string last_failure_;
};

}  // namespace ringside::health
