#include "balancer/routing_table.h"

#include <algorithm>
#include <map>
#include <utility>

#include "config/base/check.h"

namespace ringside::balancer {
namespace {

// By lower-case service name, so that a table depends on its inputs alone.
using Groups = std::map<std::string, std::vector<Endpoint>>;

std::string lowered(std::string name) {
  for (char& letter : name) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return name;
}

Groups group(std::vector<Endpoint> endpoints) {
  Groups groups;
  auto last = groups.end();  // a registry lists service by service
  for (Endpoint& endpoint : endpoints) {
    endpoint.service = lowered(std::move(endpoint.service));
    endpoint.weight = std::clamp(endpoint.weight, 1, kMaxWeight);
    endpoint.fixed = false;
    if (last == groups.end() || last->first != endpoint.service) {
      last = groups.try_emplace(endpoint.service).first;
    }
    last->second.push_back(std::move(endpoint));
  }
  return groups;
}

// A registered endpoint says more (its sidecar's port, its state) than a fixed one for the same
// address, so the fixed one gives way.
void add_fixed(const std::string& name, const std::vector<config::Address>& addresses,
               std::vector<Endpoint>& endpoints) {
  for (const config::Address& address : addresses) {
    const bool there = std::ranges::any_of(endpoints, [&](const Endpoint& one) {
      return one.host == address.host && one.port == address.port;
    });
    if (there) continue;
    Endpoint fixed;
    fixed.service = name;
    fixed.instance = address.to_string();
    fixed.host = address.host;
    fixed.port = address.port;
    fixed.fixed = true;
    endpoints.push_back(std::move(fixed));
  }
}

void order_by_instance(std::vector<Endpoint>& endpoints) {
  // A registry lists its entries in order: look before moving them all about.
  if (!std::ranges::is_sorted(endpoints, {}, &Endpoint::instance)) {
    std::ranges::stable_sort(endpoints, {}, &Endpoint::instance);
  }
  const auto rest = std::ranges::unique(endpoints, {}, &Endpoint::instance);
  endpoints.erase(rest.begin(), rest.end());
}

// Both in the order of their instances.
bool same_endpoints(std::span<const HostEntry> hosts, const std::vector<Endpoint>& endpoints) {
  return std::ranges::equal(hosts, endpoints, {}, &HostEntry::endpoint);
}

std::shared_ptr<Host> host_of(const Upstream* before, const HostIdentity& identity) {
  if (before == nullptr) return nullptr;
  const auto hosts = before->hosts();
  const auto instance_of = [](const HostEntry& one) -> const std::string& {
    return one.endpoint.instance;
  };
  const auto found = std::ranges::lower_bound(hosts, identity.instance, {}, instance_of);
  if (found == hosts.end() || found->host->identity() != identity) return nullptr;
  return found->host;
}

void set_limits(const config::Limits& limits, UpstreamState& state,
                const std::vector<HostEntry>& hosts) {
  const auto of = [](int value) { return static_cast<std::uint32_t>(std::max(0, value)); };
  state.requests.set_limit(of(limits.requests));
  state.pending.set_limit(of(limits.pending));
  for (const HostEntry& entry : hosts) entry.host->connections().set_limit(of(limits.connections));
}

std::shared_ptr<const Upstream> make_upstream(const std::string& name, const Upstream* before,
                                              std::vector<Endpoint> endpoints,
                                              const config::Upstream& settings,
                                              const std::shared_ptr<TransitionLog>& log, Rng& rng) {
  auto state = before == nullptr ? std::make_shared<UpstreamState>() : before->state();
  std::vector<HostEntry> hosts;
  hosts.reserve(endpoints.size());
  for (Endpoint& endpoint : endpoints) {
    HostIdentity identity{.service = name,
                          .instance = endpoint.instance,
                          .host = endpoint.host,
                          .port = endpoint.port};
    auto host = host_of(before, identity);
    if (host == nullptr) host = std::make_shared<Host>(std::move(identity), state, log);
    hosts.push_back({.endpoint = std::move(endpoint), .host = std::move(host)});
  }
  set_limits(settings.limits, *state, hosts);
  return std::make_shared<const Upstream>(name, settings, std::move(hosts), std::move(state), rng);
}

}  // namespace

RoutingTable::RoutingTable(TableVersion version, Upstreams upstreams,
                           std::shared_ptr<TransitionLog> log)
    : version_(version), upstreams_(std::move(upstreams)), log_(std::move(log)) {
  CHECK(log_ != nullptr);
  names_.reserve(upstreams_.size());
  for (const auto& [name, upstream] : upstreams_) names_.emplace_back(name);
  std::ranges::sort(names_);
}

const Upstream* RoutingTable::find(std::string_view name) const {
  const auto found = upstreams_.find(name);
  return found == upstreams_.end() ? nullptr : found->second.get();
}

std::shared_ptr<const RoutingTable> build_table(const RoutingTable* previous,
                                                std::vector<Endpoint> services,
                                                const config::Settings& settings,
                                                std::uint64_t zxid, Rng& rng) {
  Groups groups = group(std::move(services));
  for (const auto& [name, upstream] : settings.upstreams) groups.try_emplace(name);

  const auto log =
      previous == nullptr ? std::make_shared<TransitionLog>() : previous->transitions();
  RoutingTable::Upstreams upstreams;
  for (auto& [name, endpoints] : groups) {
    const config::Upstream& wanted = settings.upstream(name);
    add_fixed(name, wanted.endpoints, endpoints);
    order_by_instance(endpoints);

    std::shared_ptr<const Upstream> before;
    if (previous != nullptr) {
      const auto found = previous->upstreams().find(name);
      if (found != previous->upstreams().end()) before = found->second;
    }
    const bool unchanged = before != nullptr && before->settings() == wanted &&
                           same_endpoints(before->hosts(), endpoints);
    upstreams.emplace(name, unchanged ? before
                                      : make_upstream(name, before.get(), std::move(endpoints),
                                                      wanted, log, rng));
  }
  const TableVersion version{
      .zxid = zxid, .generation = previous == nullptr ? 1 : previous->version().generation + 1};
  return std::make_shared<const RoutingTable>(version, std::move(upstreams), log);
}

}  // namespace ringside::balancer
