#include "sidecar/health/checker.h"

#include <algorithm>

namespace ringside::health {

Checker::Checker(net::Loop& loop, const config::Service& service, OnChange on_change)
    : loop_(loop),
      address_(service.address),
      check_(service.health_check),
      on_change_(std::move(on_change)),
      state_(check_, loop.now()),
      timer_(loop, [this] { begin(); }) {
  arm();
}

void Checker::reconfigure(const config::HealthCheck& check) {
  check_ = check;
  probe_.reset();
  last_failure_.clear();  // it was another check's
  if (state_.reconfigure(check, loop_.now()) != balancer::HealthChange::kNone) {
    on_change_(state_.phase(), last_failure_);
  }
  arm();
}

void Checker::arm() {
  timer_.stop();
  if (state_.due() != kNever) {
    timer_.start(std::max(state_.due() - loop_.now(), Duration::zero()));
  }
}

void Checker::begin() {
  began_ = loop_.now();
  probe_ = std::make_unique<Probe>(loop_, address_, check_,
                                   [this](const std::string& failure) { finished(failure); });
}

void Checker::finished(const std::string& failure) {
  const auto spent = std::move(probe_);  // we are inside its callback: it goes when this returns
  last_failure_ = failure;
  if (state_.on_result(failure.empty(), began_, loop_.now()) != balancer::HealthChange::kNone) {
    on_change_(state_.phase(), last_failure_);
  }
  arm();
}

}  // namespace ringside::health
