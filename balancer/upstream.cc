#include "balancer/upstream.h"

#include <algorithm>
#include <utility>

#include "balancer/policies/smooth_schedule.h"
#include "config/base/check.h"

namespace ringside::balancer {

Upstream::Upstream(std::string name, config::Upstream settings, HostEntries hosts,
                   std::shared_ptr<UpstreamState> state, const Upstream* before, Rng& rng)
    : name_(std::move(name)),
      settings_(std::move(settings)),
      hosts_(std::move(hosts)),
      state_(std::move(state)) {
  CHECK(state_ != nullptr);
  choose_candidates();
  make_schedule(before);
  start_ = rng.below(schedule_.size());
}

void Upstream::choose_candidates() {
  candidates_.reserve(hosts_.size());
  add_candidates(EndpointState::kUp);
  const std::size_t up = candidates_.size();
  std::size_t unhealthy = 0;
  if (up < hosts_.size()) {
    unhealthy = static_cast<std::size_t>(
        std::ranges::count(hosts(), EndpointState::kUnhealthy,
                           [](const HostEntry& one) { return one.endpoint.state; }));
  }
  const auto threshold = static_cast<std::size_t>(std::max(0, settings_.panic_threshold));
  panic_ = unhealthy > 0 && threshold > 0 && 100 * up < threshold * (up + unhealthy);
  if (panic_) add_candidates(EndpointState::kUnhealthy);
  if (candidates_.empty()) add_candidates(EndpointState::kDraining);
}

void Upstream::add_candidates(EndpointState state) {
  for (const auto& entry : hosts_) {
    if (entry->endpoint.state != state) continue;
    const int weight =
        settings_.balance == config::Balance::kRoundRobin ? 1 : std::max(1, entry->endpoint.weight);
    candidates_.push_back({.entry = entry.get(),
                           .host = entry->host.get(),
                           .weight = static_cast<std::uint32_t>(weight)});
  }
}

// It depends on the weights alone, and an instance that gives way to another one changes none.
void Upstream::make_schedule(const Upstream* before) {
  if (before != nullptr && std::ranges::equal(before->candidates_, candidates_, {},
                                              &Candidate::weight, &Candidate::weight)) {
    schedule_ = before->schedule_;
    return;
  }
  std::vector<std::uint32_t> weights;
  weights.reserve(candidates_.size());
  for (const Candidate& candidate : candidates_) weights.push_back(candidate.weight);
  schedule_ = smooth_schedule(weights);
}

}  // namespace ringside::balancer
