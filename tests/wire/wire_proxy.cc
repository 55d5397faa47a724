// A bare data path for the wire scripts and for benchmarks: ProxyServer with settings and a static
// table from the command line, no ring.
//
//   wire_proxy [--outbound PORT] [--inbound PORT] [--service NAME=HOST:PORT] [--ring NAME]
//              [--workers N] [--endpoint SERVICE=HOST:PORT[/INBOUND_PORT]]... [--fixed
//              SERVICE=PORT] [--tcp SERVICE=PORT]
//              [--balance POLICY] [--attempts N] [--timeouts CONNECT,PER_TRY,RESPONSE,IDLE (ms)]
//              [--drain MS] [--header-limit BYTES] [--no-breaker] [--breaker FAILURES,OPEN_FOR
//              (ms)]
//              [--access]
//              [--head-time MS] [--connections N] [--limits CONNECTIONS,PENDING,REQUESTS]
//
// Port 0 (the default) takes a free one. Prints the real ports as one line of JSON when it serves.
// Reads commands from standard input, one a line, each answered by one line: drain, undrain, stop
// (answers when stopped), open (connections per worker), refused, stats, access, limits C,P,R (as
// by a reload); ends at the end of its input.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "balancer/routing_table.h"
#include "config/settings.h"
#include "sidecar/proxy/proxy_server.h"

namespace {

using namespace ringside;

// A sanitizer's own memory grows with what was freed: no figure to judge.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

[[noreturn]] void die(const std::string& message) {
  fmt::print(stderr, "wire_proxy: {}\n", message);
  std::exit(2);
}

std::uint16_t to_port(std::string_view text) {
  return static_cast<std::uint16_t>(std::strtoul(std::string(text).c_str(), nullptr, 10));
}

// NAME=REST
std::pair<std::string, std::string> split(const std::string& text, char at) {
  const auto where = text.find(at);
  if (where == std::string::npos) {
    die("expected " + std::string(1, at) + " in " + text);
  }
  return {text.substr(0, where), text.substr(where + 1)};
}

config::Address to_address(const std::string& text) {
  const auto colon = text.rfind(':');
  return {text.substr(0, colon), to_port(text.substr(colon + 1))};
}

struct Plan {
  config::Settings settings;
  std::vector<balancer::Endpoint> endpoints;
  std::map<std::string, std::uint16_t> fixed;
  std::set<std::string> tcp;  // those of `fixed` that are raw
  proxy::Bounds bounds;
};

void add_endpoint(Plan& plan, const std::string& value) {
  auto [name, where] = split(value, '=');
  balancer::Endpoint endpoint;
  endpoint.service = name;
  if (const auto slash = where.find('/'); slash != std::string::npos) {
    endpoint.inbound_port = to_port(where.substr(slash + 1));
    where.resize(slash);
  }
  const auto address = to_address(where);
  endpoint.host = address.host;
  endpoint.port = address.port;
  endpoint.instance = fmt::format("{}-{}-{:08x}", address.host, address.port, address.port);
  plan.endpoints.push_back(endpoint);
}

void set_timeouts(config::Timeouts& timeouts, const std::string& value) {
  const auto [connect, rest] = split(value, ',');
  const auto [per_try, rest2] = split(rest, ',');
  const auto [response, idle] = split(rest2, ',');
  timeouts = {milliseconds{std::stoi(connect)}, milliseconds{std::stoi(per_try)},
              milliseconds{std::stoi(response)}, milliseconds{std::stoi(idle)}};
}

void set_limits(config::Limits& limits, const std::string& value) {
  const auto [connections, rest] = split(value, ',');
  const auto [pending, requests] = split(rest, ',');
  limits = {std::stoi(connections), std::stoi(pending), std::stoi(requests)};
}

void set_balance(config::Upstream& upstream, const std::string& value) {
  if (value == "round_robin") {
    upstream.balance = config::Balance::kRoundRobin;
  } else if (value == "weighted") {
    upstream.balance = config::Balance::kWeighted;
  } else if (value != "least_connection") {
    die("unknown policy " + value);
  }
}

void set_option(Plan& plan, const std::string& option, const std::string& value) {
  auto& settings = plan.settings;
  if (option == "--outbound") {
    settings.proxy.outbound.port = to_port(value);
  } else if (option == "--inbound") {
    settings.proxy.inbound->port = to_port(value);
  } else if (option == "--service") {
    const auto [name, address] = split(value, '=');
    settings.service.emplace();
    settings.service->name = name;
    settings.service->address = to_address(address);
  } else if (option == "--ring") {
    settings.ring.name = value;
  } else if (option == "--workers") {
    settings.proxy.workers = std::stoi(value);
  } else if (option == "--endpoint") {
    add_endpoint(plan, value);
  } else if (option == "--fixed") {
    const auto [name, port] = split(value, '=');
    plan.fixed[name] = to_port(port);
  } else if (option == "--tcp") {
    const auto [name, port] = split(value, '=');
    plan.fixed[name] = to_port(port);
    plan.tcp.insert(name);
  } else if (option == "--balance") {
    set_balance(settings.defaults, value);
  } else if (option == "--attempts") {
    settings.defaults.retry.attempts = std::stoi(value);
  } else if (option == "--timeouts") {
    set_timeouts(settings.defaults.timeouts, value);
  } else if (option == "--breaker") {
    const auto [failures, open_for] = split(value, ',');
    settings.defaults.circuit_breaker.consecutive_failures = std::stoi(failures);
    settings.defaults.circuit_breaker.open_for = milliseconds{std::stoi(open_for)};
  } else if (option == "--limits") {
    set_limits(settings.defaults.limits, value);
  } else if (option == "--drain") {
    settings.drain.timeout = milliseconds{std::stoi(value)};
  } else if (option == "--head-time") {
    plan.bounds.head = milliseconds{std::stoi(value)};
  } else if (option == "--connections") {
    plan.bounds.connections = std::stoul(value);
  } else if (option == "--header-limit") {
    settings.proxy.header_limit_bytes = static_cast<std::uint32_t>(std::stoul(value));
  } else {
    die("unknown option " + option);
  }
}

Plan parse(const std::vector<std::string>& args) {
  Plan plan;
  plan.settings.proxy.outbound = {"127.0.0.1", 0};
  plan.settings.proxy.inbound = config::Address{"127.0.0.1", 0};
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--access") {
      plan.settings.log.access = true;
    } else if (args[i] == "--no-breaker") {
      plan.settings.defaults.circuit_breaker.consecutive_failures = 0;
      plan.settings.defaults.circuit_breaker.failure_ratio = 0;
    } else if (i + 1 < args.size()) {
      set_option(plan, args[i], args[i + 1]);
      ++i;
    } else {
      die("no value for " + args[i]);
    }
  }
  for (const auto& [name, port] : plan.fixed) {
    plan.settings.upstreams[name] = plan.settings.defaults;
    plan.settings.upstreams[name].listen = config::Address{"127.0.0.1", port};
    if (plan.tcp.contains(name)) {
      plan.settings.upstreams[name].protocol = config::Protocol::kTcp;
    }
  }
  return plan;
}

std::string ports(const proxy::ProxyServer& server) {
  std::string fixed;
  for (const auto& [name, port] : server.upstream_ports()) {
    fixed += fmt::format("{}\"{}\": {}", fixed.empty() ? "" : ", ", name, port);
  }
  return fmt::format(R"({{"outbound": {}, "inbound": {}, "fixed": {{{}}}, "sanitized": {}}})",
                     server.outbound_port(), server.inbound_port().value_or(0), fixed, kSanitized);
}

std::string stats(const proxy::ProxyServer& server) {
  std::string out;
  for (const auto* worker : server.metrics()) {
    for (const auto& upstream : worker->upstreams()) {
      std::map<int, std::uint64_t> codes;
      std::map<std::string, std::uint64_t, std::less<>> errors;
      std::map<std::string, std::uint64_t, std::less<>> retries;
      upstream.stats->requests.collect(codes);
      upstream.stats->errors.collect(errors);
      upstream.stats->retries.collect(retries);
      for (const auto& [code, count] : codes) {
        out += fmt::format("{}:{}={} ", upstream.name, code, count);
      }
      for (const auto& [cause, count] : errors) {
        out += fmt::format("{}:error:{}={} ", upstream.name, cause, count);
      }
      for (const auto& [reason, count] : retries) {
        out += fmt::format("{}:retry:{}={} ", upstream.name, reason, count);
      }
      out += fmt::format("{}:in_flight={} ", upstream.name, upstream.stats->in_flight.value());
      out += fmt::format("{}:pending={} ", upstream.name, upstream.stats->pending.value());
    }
    std::map<std::string, std::uint64_t, std::less<>> bad_requests;
    std::map<std::string, std::uint64_t, std::less<>> bad_responses;
    worker->bad_requests.collect(bad_requests);
    worker->bad_responses.collect(bad_responses);
    for (const auto& [reason, count] : bad_requests) {
      out += fmt::format("bad_request:{}={} ", reason, count);
    }
    for (const auto& [reason, count] : bad_responses) {
      out += fmt::format("bad_response:{}={} ", reason, count);
    }
    std::map<int, std::uint64_t> codes;
    worker->inbound.requests.collect(codes);
    for (const auto& [code, count] : codes) {
      out += fmt::format("inbound:{}={} ", code, count);
    }
  }
  return out;
}

// Publishes a table for the plan's settings, made from the one before, and waits until it is used.
class Tables {
 public:
  Tables(proxy::ProxyServer& server, Plan& plan) : server_(server), plan_(plan) { publish(); }

  void change_limits(const std::string& value) {
    set_limits(plan_.settings.defaults.limits, value);
    for (auto& [name, upstream] : plan_.settings.upstreams) {
      upstream.limits = plan_.settings.defaults.limits;
    }
    server_.publish(std::make_shared<const config::Settings>(plan_.settings));
    publish();
  }

 private:
  void publish() {
    table_ = balancer::build_table(table_.get(), plan_.endpoints, plan_.settings, 1, rng_);
    server_.publish(table_);
    while (server_.routed().generation < table_->version().generation) {
      std::this_thread::yield();
    }
  }

  proxy::ProxyServer& server_;
  Plan& plan_;
  Rng rng_{1};
  std::shared_ptr<const balancer::RoutingTable> table_;
};

std::string obey(proxy::ProxyServer& server, Tables& tables, const std::string& command) {
  if (command.starts_with("limits ")) {
    tables.change_limits(command.substr(7));
    return "ok";
  }
  if (command == "drain" || command == "undrain") {
    server.set_draining(command == "drain");
    return "ok";
  }
  if (command == "stop") {
    std::promise<void> stopped;
    server.stop([&] { stopped.set_value(); });
    stopped.get_future().wait();
    return "stopped";
  }
  if (command == "refused") {
    return fmt::format("{}", server.connections_refused());
  }
  if (command == "open") {
    std::string out;
    for (const std::size_t count : server.connections_open()) {
      out += fmt::format("{} ", count);
    }
    return out;
  }
  if (command == "access") {
    std::vector<proxy::AccessRecord> records;
    server.access().take(records);
    std::string out;
    for (const auto& record : records) {
      out += proxy::format_access(record, config::LogFormat::kJson) + " ";
    }
    return out;
  }
  return command == "stats" ? stats(server) : "unknown command";
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan = parse({argv + 1, argv + argc});
  const auto settings = std::make_shared<const config::Settings>(plan.settings);
  proxy::ProxyOptions options;
  options.settings = settings;
  options.instance = "self-1-00000001";
  options.seed = 1;
  options.bounds = plan.bounds;
  options.on_trouble = [](const Error& error) {
    fmt::print(stderr, "wire_proxy: {}\n", error.message);
  };
  auto server = proxy::ProxyServer::start(std::move(options));
  if (!server) {
    die(server.error().message);
  }
  Tables tables(**server, plan);
  fmt::print("{}\n", ports(**server));
  std::fflush(stdout);
  std::string line;
  while (std::getline(std::cin, line)) {
    fmt::print("{}\n", obey(**server, tables, line));
    std::fflush(stdout);
  }
  return 0;
}
