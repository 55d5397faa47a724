#include "balancer/upstream.h"

#include <algorithm>
#include <utility>

#include "balancer/policies/smooth_schedule.h"
#include "config/base/check.h"

namespace ringside::balancer {

Upstream::Upstream(std::string name, config::Upstream settings, std::vector<HostEntry> hosts,
                   std::shared_ptr<UpstreamState> state, Rng& rng)
    : name_(std::move(name)),
      settings_(std::move(settings)),
      hosts_(std::move(hosts)),
      state_(std::move(state)) {
  CHECK(state_ != nullptr);
  const auto instance_of = [](const HostEntry& one) -> const std::string& {
    return one.endpoint.instance;
  };
  if (!std::ranges::is_sorted(hosts_, {}, instance_of)) {
    std::ranges::sort(hosts_, {}, instance_of);
  }
  choose_candidates();
  std::vector<std::uint32_t> weights;
  weights.reserve(candidates_.size());
  for (const Candidate& candidate : candidates_) weights.push_back(candidate.weight);
  schedule_ = smooth_schedule(weights);
  start_ = rng.below(schedule_.size());
}

void Upstream::choose_candidates() {
  add_candidates(EndpointState::kUp);
  const std::size_t up = candidates_.size();
  const auto unhealthy = static_cast<std::size_t>(std::ranges::count(
      hosts_, EndpointState::kUnhealthy, [](const HostEntry& one) { return one.endpoint.state; }));
  const auto threshold = static_cast<std::size_t>(std::max(0, settings_.panic_threshold));
  panic_ = unhealthy > 0 && threshold > 0 && 100 * up < threshold * (up + unhealthy);
  if (panic_) add_candidates(EndpointState::kUnhealthy);
  if (candidates_.empty()) add_candidates(EndpointState::kDraining);
}

void Upstream::add_candidates(EndpointState state) {
  for (const HostEntry& entry : hosts_) {
    if (entry.endpoint.state != state) continue;
    const int weight =
        settings_.balance == config::Balance::kRoundRobin ? 1 : std::max(1, entry.endpoint.weight);
    candidates_.push_back(
        {.entry = &entry, .host = entry.host.get(), .weight = static_cast<std::uint32_t>(weight)});
  }
}

}  // namespace ringside::balancer
