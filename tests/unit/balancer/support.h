// What the balancer's tests share: endpoints, tables of one upstream, and picks that count.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "balancer/pick.h"
#include "balancer/routing_table.h"

namespace ringside::balancer::test {

inline Instant at(std::int64_t ms) {
  return Instant{milliseconds{ms}};
}

// Instance "a", "b", ... of service "orders".
inline Endpoint endpoint(const std::string& instance, int weight = 100,
                         EndpointState state = EndpointState::kUp) {
  Endpoint made;
  made.service = "orders";
  made.instance = instance;
  made.host = "10.0.0.1";
  made.port = static_cast<std::uint16_t>(8000 + instance.back());
  made.inbound_port = 4143;
  made.weight = weight;
  made.state = state;
  return made;
}

inline config::Settings settings_with(config::Balance balance) {
  config::Settings settings;
  settings.defaults.balance = balance;
  return settings;
}

inline std::shared_ptr<const RoutingTable> table_of(std::vector<Endpoint> endpoints,
                                                    const config::Settings& settings, Rng& rng,
                                                    const RoutingTable* previous = nullptr) {
  return build_table(previous, std::move(endpoints), settings, 1, rng);
}

inline const Upstream& orders(const std::shared_ptr<const RoutingTable>& table) {
  return *table->find("orders");
}

inline Host& host_named(const Upstream& upstream, const std::string& instance) {
  for (const HostEntry& entry : upstream.hosts()) {
    if (entry.endpoint.instance == instance) return *entry.host;
  }
  throw std::runtime_error("no host " + instance);
}

using Shares = std::map<std::string, int>;

// Picks `count` times, each call over before the next begins.
inline Shares pick_many(const Upstream& upstream, int count, const PickContext& context) {
  Shares shares;
  for (int i = 0; i < count; ++i) {
    const auto picked = pick(upstream, context);
    if (!picked) {
      ++shares[to_string(picked.error())];
      continue;
    }
    ++shares[picked->host->endpoint.instance];
    report(*picked, Outcome::kSuccess, milliseconds{1}, context.now);
  }
  return shares;
}

// Opens the host's breaker as traffic would: with failures in a row.
inline void open_breaker(const Upstream& upstream, const std::string& instance, Instant now) {
  const auto& breaker = upstream.settings().circuit_breaker;
  Host& host = host_named(upstream, instance);
  while (host.breaker_state(breaker) != BreakerState::kOpen) {
    const auto stamp = host.admit(breaker, now);
    if (!stamp) throw std::runtime_error("the breaker admits nothing and is not open");
    host.record(breaker, *stamp, Outcome::kFailure, milliseconds{1}, now);
  }
}

inline std::uint32_t in_flight_of_all(const Upstream& upstream) {
  std::uint32_t sum = 0;
  for (const HostEntry& entry : upstream.hosts()) sum += entry.host->in_flight();
  return sum;
}

}  // namespace ringside::balancer::test
