// The control loop's way from the registry to a new routing table, to be counted under callgrind:
// the production Registry, ServiceView, Registrar and build of the table; no ring, no workers.
//
//   cost_table [--services N] [--endpoints N] [--changes N] [--count change|slice]
//
// N services of N endpoints are registered and read. `slice` counts the turns of that reading, but
// the one that makes the table. `change`: then one instance of one service,
// of which the own instance is the oldest one, gives way to another, N times. What counts is what
// follows the transaction: noting what it touched, reading that, making and publishing the table,
// ending the one before the last (as ProxyServer does), looking whether it took our address. Prints
// what it was built by, and how many turns were counted, as one line of JSON. A usage error: 2.
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
#include "sidecar/discovery/registrar.h"
#include "tests/cost/built.h"
#include "tests/unit/discovery/fake_client.h"

namespace {

using namespace ringside;

struct Plan {
  unsigned services = 1;
  unsigned endpoints = 10;
  unsigned changes = 10;
  std::string count = "change";
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
    } else if (args[i] == "--count") {
      plan.count = args[i + 1];
    }
  }
  const bool known = plan.count == "change" || plan.count == "slice";
  if (args.size() % 2 != 0 || plan.services == 0 || plan.endpoints < 2 || plan.changes == 0 ||
      !known) {
    fmt::print(stderr,
               "usage: cost_table [--services N] [--endpoints N] [--changes N] "
               "[--count change|slice]\n");
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

void create(coord::Multi& multi, const balancer::Endpoint& endpoint) {
  multi.ops.emplace_back(coord::Create{discovery::entry_path(endpoint.service, endpoint.instance),
                                       discovery::encode_entry(endpoint),
                                       coord::CreateMode::kPersistent, true});
}

void must(bool holds) {
  if (!holds) {
    fmt::print(stderr, "cost_table: what is counted is not what is meant\n");
    std::exit(2);
  }
}

class Counted {
 public:
  explicit Counted(Plan plan) : plan_(std::move(plan)) {}

  unsigned run() {
    register_all();
    const unsigned read = read_all();
    if (plan_.count != "change") {
      return read - 1;
    }
    for (unsigned i = 0; i < plan_.changes; ++i) {
      change(others_[i * 7919 % others_.size()]);
    }
    const auto* upstream = feed_.table()->find(service_name(changing()));
    must(upstream != nullptr && upstream->hosts().size() == plan_.endpoints);
    must(registrar_.state() == discovery::RegistrarState::kRegistered);
    return plan_.changes;
  }

 private:
  [[nodiscard]] unsigned changing() const { return plan_.services / 2; }

  void register_all() {
    // A view of the empty registry lets the own instance in, before all others.
    feed_.refresh(client_.registry(), true, settings_);
    keeper_.on_change([this](Instant at) { registrar_.session_changed(at); });
    registrar_.set_health(now_, balancer::EndpointState::kUp);
    keeper_.tick(now_);
    client_.serve();
    must(registrar_.state() == discovery::RegistrarState::kRegistered);
    for (unsigned service = 0; service < plan_.services; ++service) {
      for (unsigned i = service == changing() ? 1 : 0; i < plan_.endpoints; ++i) {
        const balancer::Endpoint endpoint = endpoint_of(service, next_++);
        coord::Multi multi;
        create(multi, endpoint);
        must(client_.carry_out({{}, std::move(multi)}).error == coord::ZkError::kOk);
        if (service == changing()) others_.push_back(endpoint);
      }
    }
  }

  // How many turns it took.
  unsigned read_all() {
    feed_.note_all();
    unsigned turns = 0;
    // Listing a service counts as one entry.
    const unsigned last = plan_.services * (plan_.endpoints + 1) / app::TableFeed::kSlice;
    do {
      const bool counts = plan_.count == "slice" && turns != last;
      if (counts) CALLGRIND_START_INSTRUMENTATION;
      feed_.refresh(client_.registry(), true, settings_);
      if (counts) CALLGRIND_STOP_INSTRUMENTATION;
      ++turns;
    } while (feed_.reading());
    must(turns == last + 1);
    registrar_.registry_changed(now_);
    return turns;
  }

  void change(balancer::Endpoint& one) {
    coord::Multi multi;
    const std::string before = discovery::entry_path(one.service, one.instance);
    multi.ops.emplace_back(coord::Delete{before});
    one = endpoint_of(changing(), next_++);
    create(multi, one);
    must(client_.carry_out({{}, std::move(multi)}).error == coord::ZkError::kOk);
    const std::vector<coord::Change> changes{
        {coord::ChangeKind::kDeleted, before},
        {coord::ChangeKind::kCreated, discovery::entry_path(one.service, one.instance)}};
    CALLGRIND_START_INSTRUMENTATION;
    feed_.note(changes);
    const bool changed = feed_.refresh(client_.registry(), true, settings_);
    registrar_.registry_changed(now_);
    CALLGRIND_STOP_INSTRUMENTATION;
    must(changed);
  }

  static void complain(const std::string& line) { fmt::print(stderr, "cost_table: {}\n", line); }

  Plan plan_;
  unsigned next_ = 1;
  Instant now_{seconds{100}};
  const config::Settings settings_;
  std::vector<balancer::Endpoint> others_;  // of the service that changes
  std::vector<std::shared_ptr<const balancer::RoutingTable>> tables_;
  app::TableFeed feed_{Rng(1),
                       [this](std::shared_ptr<const balancer::RoutingTable> table) {
                         if (tables_.size() == 2) tables_.erase(tables_.begin());
                         tables_.push_back(std::move(table));
                       },
                       complain};
  discovery::FakeClient client_;
  discovery::SessionKeeper keeper_{client_, milliseconds{6000}, complain};
  discovery::Registrar registrar_{client_, keeper_, feed_.view(), endpoint_of(changing(), 0),
                                  [](const std::string&) {}};
};

}  // namespace

int main(int argc, char** argv) {
  Counted counted(parse({argv + 1, argv + argc}));
  const unsigned turns = counted.run();
  fmt::print("{{\"built\": \"{}\", \"turns\": {}}}\n", cost::built(), turns);
  return 0;
}
