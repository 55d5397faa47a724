#include "balancer/routing_table.h"

#include <algorithm>
#include <utility>

#include "config/base/check.h"

namespace ringside::balancer {
namespace {

using Given = std::shared_ptr<const Endpoint>;
using MadeUpstream = std::shared_ptr<const Upstream>;

// What all upstreams of a table are made with.
struct Making {
  const config::Settings& settings;
  std::shared_ptr<TransitionLog> log;
  Rng& rng;
};

ServiceLists group(std::vector<Endpoint> endpoints) {
  ServiceLists groups;
  auto last = groups.end();  // a registry lists service by service
  for (Endpoint& endpoint : endpoints) {
    endpoint.service = upstream_name(std::move(endpoint.service));
    endpoint.fixed = false;
    if (last == groups.end() || last->first != endpoint.service) {
      last = groups.try_emplace(endpoint.service).first;
    }
    last->second.push_back(std::make_shared<const Endpoint>(std::move(endpoint)));
  }
  for (auto& [name, list] : groups) order_by_instance(list);
  return groups;
}

// A registered endpoint says more (its sidecar's port, its state) than a fixed one for the same
// address, so the fixed one gives way.
EndpointList with_fixed(const std::string& name, const std::vector<config::Address>& addresses,
                        EndpointList endpoints) {
  for (const config::Address& address : addresses) {
    const bool there = std::ranges::any_of(endpoints, [&](const Given& one) {
      return one->host == address.host && one->port == address.port;
    });
    if (there) continue;
    Endpoint fixed;
    fixed.service = name;
    fixed.instance = address.to_string();
    fixed.host = address.host;
    fixed.port = address.port;
    fixed.fixed = true;
    endpoints.push_back(std::make_shared<const Endpoint>(std::move(fixed)));
  }
  order_by_instance(endpoints);
  return endpoints;
}

// As an upstream of this name can use it: the same one, unless something had to be made fit.
Given fit(const std::string& name, const Given& given) {
  const int weight = std::clamp(given->weight, 1, kMaxWeight);
  if (given->service == name && given->weight == weight) return given;
  Endpoint changed = *given;
  changed.service = name;
  changed.weight = weight;
  return std::make_shared<const Endpoint>(std::move(changed));
}

std::uint32_t limit_of(int value) {
  return static_cast<std::uint32_t>(std::max(0, value));
}

// `before`: who had this instance in the version before, or null. That very entry if nothing
// changed, else a new one, with the same host if the identity stays.
std::shared_ptr<const HostEntry> entry_of(const std::string& name, const Given& given,
                                          const std::shared_ptr<const HostEntry>& before,
                                          const std::shared_ptr<UpstreamState>& state,
                                          const Making& making) {
  Given endpoint = fit(name, given);
  if (before != nullptr && before->endpoint == *endpoint) return before;
  HostIdentity identity{.service = name,
                        .instance = endpoint->instance,
                        .host = endpoint->host,
                        .port = endpoint->port};
  if (before != nullptr && before->host->identity() == identity) {
    return std::make_shared<const HostEntry>(std::move(endpoint), before->host);
  }
  auto host = std::make_shared<Host>(std::move(identity), state, making.log);
  host->connections().set_limit(limit_of(making.settings.upstream(name).limits.connections));
  return std::make_shared<const HostEntry>(std::move(endpoint), std::move(host));
}

// Both lists are in the order of their instances.
HostEntries entries_of(const std::string& name, const Upstream* before,
                       const EndpointList& endpoints, const std::shared_ptr<UpstreamState>& state,
                       const Making& making) {
  static const HostEntries kNobody;
  const HostEntries& old = before == nullptr ? kNobody : before->entries();
  HostEntries entries;
  entries.reserve(endpoints.size());
  auto next = old.begin();
  for (const Given& given : endpoints) {
    const auto earlier = [&] { return (*next)->endpoint.instance < given->instance; };
    while (next != old.end() && (*next)->kept != given && earlier()) ++next;
    if (next != old.end() && (*next)->kept == given) {
      entries.push_back(*next++);
      continue;
    }
    const bool there = next != old.end() && (*next)->endpoint.instance == given->instance;
    entries.push_back(entry_of(name, given, there ? *next : nullptr, state, making));
    if (there) ++next;
  }
  return entries;
}

// New hosts have theirs already.
void set_limits(const config::Limits& limits, const Upstream* before, UpstreamState& state,
                const HostEntries& entries) {
  state.requests.set_limit(limit_of(limits.requests));
  state.pending.set_limit(limit_of(limits.pending));
  if (before != nullptr && before->settings().limits != limits) {
    for (const auto& entry : entries) {
      entry->host->connections().set_limit(limit_of(limits.connections));
    }
  }
}

// `before` itself, if nothing changed.
MadeUpstream make_upstream(const std::string& name, const MadeUpstream& before,
                           const EndpointList& registered, const Making& making) {
  const config::Upstream& wanted = making.settings.upstream(name);
  EndpointList with;
  if (!wanted.endpoints.empty()) with = with_fixed(name, wanted.endpoints, registered);
  const EndpointList& endpoints = wanted.endpoints.empty() ? registered : with;
  auto state = before == nullptr ? std::make_shared<UpstreamState>() : before->state();
  HostEntries entries = entries_of(name, before.get(), endpoints, state, making);
  if (before != nullptr && before->entries() == entries && before->settings() == wanted) {
    return before;
  }
  set_limits(wanted.limits, before.get(), *state, entries);
  return std::make_shared<const Upstream>(name, wanted, std::move(entries), std::move(state),
                                          before.get(), making.rng);
}

bool same_names(const RoutingTable& previous, const RoutingTable::Upstreams& upstreams) {
  return std::ranges::equal(previous.upstreams(), upstreams,
                            [](const MadeUpstream& one, const MadeUpstream& other) {
                              return one == other || one->name() == other->name();
                            });
}

std::shared_ptr<const RoutingTable> assemble(const RoutingTable* previous, std::uint64_t zxid,
                                             RoutingTable::Upstreams upstreams,
                                             std::shared_ptr<TransitionLog> log) {
  const TableVersion version{
      .zxid = zxid, .generation = previous == nullptr ? 1 : previous->version().generation + 1};
  const bool same = previous != nullptr && same_names(*previous, upstreams);
  auto names = same ? previous->shared_names() : std::make_shared<const UpstreamNames>(upstreams);
  return std::make_shared<const RoutingTable>(version, std::move(names), std::move(upstreams),
                                              std::move(log));
}

MadeUpstream upstream_of(const RoutingTable* table, std::string_view name) {
  const auto place = table == nullptr ? std::nullopt : table->shared_names()->find(name);
  return place ? table->upstreams()[*place] : nullptr;
}

const std::string& name_of(const MadeUpstream& upstream) {
  return upstream->name();
}

}  // namespace

UpstreamNames::UpstreamNames(const std::vector<std::shared_ptr<const Upstream>>& upstreams) {
  places_.reserve(upstreams.size());
  sorted_.reserve(upstreams.size());
  for (const auto& upstream : upstreams) {
    const auto place = static_cast<std::uint32_t>(sorted_.size());
    const auto [made, is_new] = places_.emplace(upstream->name(), place);
    CHECK(is_new && (sorted_.empty() || sorted_.back() < made->first));
    sorted_.emplace_back(made->first);
  }
}

RoutingTable::RoutingTable(TableVersion version, std::shared_ptr<const UpstreamNames> names,
                           Upstreams upstreams, std::shared_ptr<TransitionLog> log)
    : version_(version),
      names_(std::move(names)),
      upstreams_(std::move(upstreams)),
      log_(std::move(log)) {
  CHECK(log_ != nullptr && names_ != nullptr);
  CHECK(names_->sorted().size() == upstreams_.size());
}

std::shared_ptr<const RoutingTable> build_from_lists(const RoutingTable* previous,
                                                     const ServiceLists& services,
                                                     const config::Settings& settings,
                                                     std::uint64_t zxid, Rng& rng) {
  const Making making{
      settings, previous == nullptr ? std::make_shared<TransitionLog>() : previous->transitions(),
      rng};
  static const EndpointList kNobody;
  std::map<std::string_view, const EndpointList*> all;
  for (const auto& [name, upstream] : settings.upstreams) all[name] = &kNobody;
  for (const auto& [name, endpoints] : services) all[name] = &endpoints;
  RoutingTable::Upstreams upstreams;
  upstreams.reserve(all.size());
  for (const auto& [name, endpoints] : all) {
    upstreams.push_back(
        make_upstream(std::string(name), upstream_of(previous, name), *endpoints, making));
  }
  return assemble(previous, zxid, std::move(upstreams), making.log);
}

std::shared_ptr<const RoutingTable> build_table(const RoutingTable* previous,
                                                std::vector<Endpoint> services,
                                                const config::Settings& settings,
                                                std::uint64_t zxid, Rng& rng) {
  return build_from_lists(previous, group(std::move(services)), settings, zxid, rng);
}

std::shared_ptr<const RoutingTable> change_table(const RoutingTable& previous,
                                                 std::span<const ServiceChange> changes,
                                                 const config::Settings& settings,
                                                 std::uint64_t zxid, Rng& rng) {
  const Making making{settings, previous.transitions(), rng};
  static const EndpointList kNobody;
  RoutingTable::Upstreams upstreams = previous.upstreams();
  for (const ServiceChange& change : changes) {
    const EndpointList& endpoints = change.endpoints == nullptr ? kNobody : *change.endpoints;
    const bool stays = !endpoints.empty() || settings.upstreams.contains(change.name);
    const auto at = std::ranges::lower_bound(upstreams, change.name, {}, name_of);
    const bool there = at != upstreams.end() && (*at)->name() == change.name;
    if (stays && there) {
      *at = make_upstream(change.name, *at, endpoints, making);
    } else if (stays) {
      upstreams.insert(at, make_upstream(change.name, nullptr, endpoints, making));
    } else if (there) {
      upstreams.erase(at);
    }
  }
  return assemble(&previous, zxid, std::move(upstreams), making.log);
}

}  // namespace ringside::balancer
