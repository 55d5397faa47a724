// The production data path with a table made up by size, to be counted under callgrind; no ring.
//
//   cost_proxy PORT [--services N] [--endpoints N] [--sidecars] [--app] [--access]
//
// N services (service-00000 ...), each with its own endpoints, all of them on PORT but each at an
// address of its own (127.1.0.1 ...), so that one listener answers for all. --sidecars: each
// endpoint has a sidecar before it (on PORT too). --app: it also has the service `shop`, whose app
// is 127.0.0.1:PORT. --access: access records are kept and taken by nobody. All else is as the
// settings are by default, with one worker.
//
// Prints its ports, and what it was built by, as one line of JSON when it serves. Reads commands
// from standard input, one a line, each answered by one line: turns (endpoints are called in turn
// from here on), usual (by the default policy again), swap (one endpoint of service-00000 goes and
// another comes; answers once the worker goes by it), count (from here on instructions count), done
// (up to here). Ends at the end of its input; with a usage error or a port that cannot be
// opened: 2.
#include <fmt/format.h>
#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "balancer/routing_table.h"
#include "config/settings.h"
#include "sidecar/proxy/proxy_server.h"
#include "tests/cost/built.h"

namespace {

using namespace ringside;

[[noreturn]] void die(const std::string& message) {
  fmt::print(stderr, "cost_proxy: {}\n", message);
  std::exit(2);
}

struct Plan {
  std::uint16_t port = 0;
  unsigned services = 1;
  unsigned endpoints = 10;
  bool sidecars = false;
  bool app = false;
  bool access = false;
};

Plan parse(const std::vector<std::string>& args) {
  Plan plan;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const auto number = [&] {
      return i + 1 < args.size()
                 ? static_cast<unsigned>(std::strtoul(args[++i].c_str(), nullptr, 10))
                 : 0U;
    };
    if (args[i] == "--services") {
      plan.services = number();
    } else if (args[i] == "--endpoints") {
      plan.endpoints = number();
    } else if (args[i] == "--sidecars") {
      plan.sidecars = true;
    } else if (args[i] == "--app") {
      plan.app = true;
    } else if (args[i] == "--access") {
      plan.access = true;
    } else {
      plan.port = static_cast<std::uint16_t>(std::strtoul(args[i].c_str(), nullptr, 10));
    }
  }
  if (plan.port == 0 || plan.services == 0 || plan.endpoints == 0) {
    die("usage: cost_proxy PORT [--services N] [--endpoints N] [--sidecars] [--app] [--access]");
  }
  return plan;
}

config::Settings settings_of(const Plan& plan) {
  config::Settings settings;
  settings.proxy.outbound = {"127.0.0.1", 0};
  settings.proxy.inbound = config::Address{"127.0.0.1", 0};
  settings.log.access = plan.access;
  if (plan.app) {
    settings.service.emplace();
    settings.service->name = "shop";
    settings.service->address = {"127.0.0.1", plan.port};
  }
  return settings;
}

// Number `index` of all endpoints there are. Instances of a service are in order, as in a registry.
balancer::Endpoint endpoint_of(const Plan& plan, unsigned service, unsigned index) {
  balancer::Endpoint endpoint;
  endpoint.service = fmt::format("service-{:05}", service);
  const unsigned place = index + 1;
  endpoint.host = fmt::format("127.{}.{}.{}", 1 + place / 65536, place / 256 % 256, place % 256);
  endpoint.port = plan.port;
  endpoint.inbound_port = plan.sidecars ? plan.port : std::uint16_t{0};
  endpoint.instance = fmt::format("app-{:06}-{}-{:08x}", index, endpoint.port, index);
  return endpoint;
}

std::vector<balancer::Endpoint> endpoints_of(const Plan& plan) {
  std::vector<balancer::Endpoint> all;
  for (unsigned service = 0; service < plan.services; ++service) {
    for (unsigned i = 0; i < plan.endpoints; ++i) {
      all.push_back(endpoint_of(plan, service, service * plan.endpoints + i));
    }
  }
  return all;
}

// Publishes tables, each made from the one before, and waits until the worker goes by it.
class Tables {
 public:
  Tables(proxy::ProxyServer& server, const Plan& plan, config::Settings settings)
      : server_(server),
        plan_(plan),
        settings_(std::move(settings)),
        endpoints_(endpoints_of(plan)),
        next_(plan.services * plan.endpoints) {
    publish();
  }

  void go_by(config::Balance balance) {
    settings_.defaults.balance = balance;
    publish();
  }

  // The one that comes has never been called: a connection to it has to be opened.
  void swap() {
    endpoints_[plan_.endpoints - 1] = endpoint_of(plan_, 0, next_++);
    publish();
  }

 private:
  void publish() {
    table_ = balancer::build_table(table_.get(), endpoints_, settings_, 1, rng_);
    server_.publish(table_);
    while (server_.routed().generation < table_->version().generation) {
      std::this_thread::yield();
    }
  }

  proxy::ProxyServer& server_;
  const Plan plan_;
  config::Settings settings_;
  std::vector<balancer::Endpoint> endpoints_;
  unsigned next_;
  Rng rng_{1};
  std::shared_ptr<const balancer::RoutingTable> table_;
};

const char* obey(Tables& tables, std::string_view command) {
  if (command == "turns") {
    tables.go_by(config::Balance::kRoundRobin);
  } else if (command == "usual") {
    tables.go_by(config::Settings().defaults.balance);
  } else if (command == "swap") {
    tables.swap();
  } else if (command == "count") {
    CALLGRIND_START_INSTRUMENTATION;
  } else if (command == "done") {
    CALLGRIND_STOP_INSTRUMENTATION;
  } else {
    return "unknown command";
  }
  return "ok";
}

}  // namespace

int main(int argc, char** argv) {
  const Plan plan = parse({argv + 1, argv + argc});
  const config::Settings settings = settings_of(plan);
  proxy::ProxyOptions options;
  options.settings = std::make_shared<const config::Settings>(settings);
  options.instance = "self-1-00000001";
  options.seed = 1;
  // At the rates that count, a connection is used again before its buffers go; here time is slow.
  options.bounds.idle.memory = seconds{3600};
  options.on_trouble = [](const Error& error) {
    fmt::print(stderr, "cost_proxy: {}\n", error.message);
  };
  auto server = proxy::ProxyServer::start(std::move(options));
  if (!server) {
    die(server.error().message);
  }
  Tables tables(**server, plan, settings);
  fmt::print("{{\"outbound\": {}, \"inbound\": {}, \"built\": \"{}\"}}\n",
             (*server)->outbound_port(), (*server)->inbound_port().value_or(0), cost::built());
  std::fflush(stdout);
  std::string line;
  while (std::getline(std::cin, line)) {
    fmt::print("{}\n", obey(tables, line));
    std::fflush(stdout);
  }
  return 0;
}
