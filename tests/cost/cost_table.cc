// The control loop's way from a change of the registry to a new routing table, to be counted under
// callgrind: the production Registry, ServiceView and build of the table; no ring, no workers.
//
//   cost_table [--services N] [--endpoints N] [--changes N]
//
// N services of N endpoints are registered, then one instance of one of them gives way to another,
// N times. What counts is what follows the transaction: noting what it touched, reading that,
// making and publishing the table, ending the one before the last (as ProxyServer does). Prints
// what it was built by, as one line of JSON. A usage error: 2.
#include <fmt/format.h>
#include <valgrind/callgrind.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/settings.h"
#include "coord/registry/registry.h"
#include "sidecar/app/table_feed.h"
#include "sidecar/discovery/entry.h"
#include "tests/cost/built.h"

namespace {

using namespace ringside;

struct Plan {
  unsigned services = 1;
  unsigned endpoints = 10;
  unsigned changes = 10;
};

Plan parse(const std::vector<std::string>& args) {
  Plan plan;
  for (std::size_t i = 0; i + 1 < args.size(); i += 2) {
    const auto number = static_cast<unsigned>(std::strtoul(args[i + 1].c_str(), nullptr, 10));
    if (args[i] == "--services") {
      plan.services = number;
    } else if (args[i] == "--endpoints") {
      plan.endpoints = number;
    } else if (args[i] == "--changes") {
      plan.changes = number;
    }
  }
  if (args.size() % 2 != 0 || plan.services == 0 || plan.endpoints == 0 || plan.changes == 0) {
    fmt::print(stderr, "usage: cost_table [--services N] [--endpoints N] [--changes N]\n");
    std::exit(2);
  }
  return plan;
}

std::string service_name(unsigned service) {
  return fmt::format("service-{:05}", service);
}

balancer::Endpoint endpoint_of(unsigned service, unsigned index) {
  balancer::Endpoint endpoint;
  endpoint.service = service_name(service);
  endpoint.host = fmt::format("10.{}.{}.{}", index / 65536, index / 256 % 256, index % 256);
  endpoint.port = 8080;
  endpoint.inbound_port = 4143;
  endpoint.zone = "eu-1a";
  endpoint.metadata = {{"version", "v2"}};
  endpoint.instance = discovery::make_instance(endpoint.host, endpoint.port, index);
  return endpoint;
}

class Registered {
 public:
  [[nodiscard]] const coord::Registry& registry() const { return registry_; }

  std::vector<coord::Change> carry_out(coord::Multi ops) {
    const coord::Zxid zxid(coord::Epoch{1}, ++counter_);
    const coord::Txn txn =
        preparer_.prepare({{}, std::move(ops)}, {}, zxid, {}, [] { return coord::SessionId{1}; });
    auto applied = registry_.apply(zxid, txn);
    if (!applied || applied->reply.error != coord::ZkError::kOk) {
      fmt::print(stderr, "cost_table: the registry refuses what it is told\n");
      std::exit(2);
    }
    preparer_.applied(zxid);
    return std::move(applied->changes);
  }

 private:
  coord::Registry registry_;
  coord::Preparer preparer_{registry_, {1, 2}};
  std::uint32_t counter_ = 0;
};

void create(coord::Multi& multi, const balancer::Endpoint& endpoint) {
  multi.ops.emplace_back(coord::Create{discovery::entry_path(endpoint.service, endpoint.instance),
                                       discovery::encode_entry(endpoint),
                                       coord::CreateMode::kPersistent, true});
}

}  // namespace

int main(int argc, char** argv) {
  const Plan plan = parse({argv + 1, argv + argc});
  Registered registered;
  unsigned next = 0;
  std::vector<balancer::Endpoint> first;  // of the service that changes
  for (unsigned service = 0; service < plan.services; ++service) {
    for (unsigned i = 0; i < plan.endpoints; ++i) {
      const balancer::Endpoint endpoint = endpoint_of(service, next++);
      coord::Multi multi;
      create(multi, endpoint);
      registered.carry_out(std::move(multi));
      if (service == plan.services / 2) first.push_back(endpoint);
    }
  }
  std::vector<std::shared_ptr<const balancer::RoutingTable>> tables;
  app::TableFeed feed(
      Rng(1),
      [&](std::shared_ptr<const balancer::RoutingTable> table) {
        if (tables.size() == 2) tables.erase(tables.begin());
        tables.push_back(std::move(table));
      },
      [](const std::string& line) { fmt::print(stderr, "cost_table: {}\n", line); });
  const config::Settings settings;
  feed.refresh(registered.registry(), true, settings);
  for (unsigned i = 0; i < plan.changes; ++i) {
    balancer::Endpoint& one = first[i * 7919 % first.size()];
    coord::Multi multi;
    multi.ops.emplace_back(coord::Delete{discovery::entry_path(one.service, one.instance)});
    one = endpoint_of(plan.services / 2, next++);
    create(multi, one);
    const auto changes = registered.carry_out(std::move(multi));
    CALLGRIND_START_INSTRUMENTATION;
    feed.note(changes);
    const bool changed = feed.refresh(registered.registry(), true, settings);
    CALLGRIND_STOP_INSTRUMENTATION;
    if (!changed) return 2;
  }
  const auto* upstream = feed.table()->find(service_name(plan.services / 2));
  if (upstream == nullptr || upstream->hosts().size() != plan.endpoints) return 2;
  fmt::print("{{\"built\": \"{}\"}}\n", cost::built());
  return 0;
}
