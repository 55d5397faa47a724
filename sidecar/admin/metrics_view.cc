#include "sidecar/admin/metrics_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "sidecar/metrics/scrape.h"

namespace ringside::admin {

namespace {

metrics::RingRole role_of(coord::Role role) {
  switch (role) {
    case coord::Role::kLooking: return metrics::RingRole::kLooking;
    case coord::Role::kLeading: return metrics::RingRole::kLeading;
    case coord::Role::kFollowing: return metrics::RingRole::kFollowing;
    case coord::Role::kObserving: return metrics::RingRole::kObserving;
  }
  return metrics::RingRole::kLooking;
}

metrics::BreakerState breaker_of(balancer::BreakerState state) {
  switch (state) {
    case balancer::BreakerState::kClosed: return metrics::BreakerState::kClosed;
    case balancer::BreakerState::kHalfOpen: return metrics::BreakerState::kHalfOpen;
    case balancer::BreakerState::kOpen: return metrics::BreakerState::kOpen;
  }
  return metrics::BreakerState::kClosed;
}

metrics::RingSample ring_sample(const RingView& ring, const metrics::Histogram& commit_duration) {
  metrics::RingSample sample;
  sample.role = role_of(ring.status.role);
  sample.epoch = ring.status.epoch.value;
  sample.elections = ring.status.elections;
  sample.applied_zxid = ring.status.applied.packed;
  sample.commit_duration = commit_duration.values();
  sample.view_age_seconds = ring.view_age_seconds;
  sample.sessions = ring.status.sessions;
  sample.znodes = ring.status.znodes;
  sample.watches = ring.status.watches;
  return sample;
}

void add_upstream(const balancer::Upstream& upstream, metrics::Sources& sources) {
  std::map<balancer::EndpointState, std::uint64_t> counts{{balancer::EndpointState::kUp, 0},
                                                          {balancer::EndpointState::kUnhealthy, 0},
                                                          {balancer::EndpointState::kDraining, 0}};
  // Two instances may be registered with one address for a moment; one series twice would spoil the
  // whole page, so the worse breaker stands for both.
  std::map<std::string, metrics::BreakerState> breakers;
  for (const auto& entry : upstream.hosts()) {
    ++counts[entry.endpoint.state];
    const auto state = breaker_of(entry.host->breaker_state(upstream.settings().circuit_breaker));
    const config::Address address{entry.endpoint.host, entry.endpoint.port};
    auto& worst = breakers.try_emplace(address.to_string(), state).first->second;
    worst = std::max(worst, state);
  }
  for (const auto& [endpoint, state] : breakers) {
    sources.breakers.push_back({upstream.name(), endpoint, state});
  }
  for (const auto& [state, count] : counts) {
    sources.endpoints.push_back({upstream.name(), balancer::to_string(state), count});
  }
  for (const auto to : {balancer::BreakerState::kClosed, balancer::BreakerState::kHalfOpen,
                        balancer::BreakerState::kOpen}) {
    sources.transitions.push_back(
        {upstream.name(), breaker_of(to), upstream.state()->transitions_to(to)});
  }
}

}  // namespace

std::string metrics_text(const Snapshot& snapshot,
                         std::span<const metrics::WorkerMetrics* const> loops,
                         const metrics::Histogram& commit_duration) {
  metrics::Sources sources;
  sources.loops.assign(loops.begin(), loops.end());
  sources.ring = ring_sample(snapshot.ring, commit_duration);
  if (snapshot.table) {
    for (const auto name : snapshot.table->names()) {
      add_upstream(*snapshot.table->find(name), sources);
    }
  }
  sources.build.version = snapshot.version;
  return metrics::scrape(sources);
}

}  // namespace ringside::admin
