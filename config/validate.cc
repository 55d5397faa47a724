#include "config/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "config/address.h"
#include "config/duration.h"
#include "config/yaml_tree.h"

namespace ringside::config {

namespace {

struct Checker {
  const Settings& settings;
  Report& report;

  // Reports at the first key, unless one of the keys has a problem of its own.
  void complain(std::initializer_list<std::string_view> keys, std::string_view message) const {
    if (std::ranges::all_of(keys, [this](std::string_view key) { return report.sound(key); })) {
      report.add(report.place_of(*keys.begin()), *keys.begin(), message);
    }
  }
};

struct Listener {
  std::string key;
  Address address;
};

std::vector<Listener> listeners(const Settings& settings) {
  std::vector<Listener> all{{"proxy.outbound", settings.proxy.outbound}};
  if (settings.proxy.inbound) {
    all.push_back({"proxy.inbound", *settings.proxy.inbound});
  }
  all.push_back({"ring.listen", settings.ring.listen});
  all.push_back({"admin.listen", settings.admin});
  for (const auto& [name, upstream] : settings.upstreams) {
    if (upstream.listen) {
      all.push_back({fmt::format("upstreams.{}.listen", name), *upstream.listen});
    }
  }
  return all;
}

std::string_view host_of(const Address& address) {
  return address.host == "localhost" ? std::string_view("127.0.0.1")
                                     : std::string_view(address.host);
}

// Does a connection to `target` arrive at the listener? A wildcard is known to listen on loopback
// and on `own_host`.
bool arrives(const Address& target, const Address& listener, std::string_view own_host) {
  const bool here =
      host_of(target) == host_of(listener) ||
      (is_wildcard_host(listener.host) && (is_loopback(target) || target.host == own_host));
  return target.port == listener.port && here;
}

std::string own_host(const Settings& settings) {
  if (settings.service && !settings.service->advertise.empty()) {
    return settings.service->advertise;
  }
  return settings.ring.advertise ? settings.ring.advertise->host : "";
}

// Listeners by port and host, every wildcard under one name.
using ByHost = std::map<std::string_view, const Listener*>;

// The earlier listener that holds the same port of the same interface; else notes this one. Port 0
// is a new port each time.
const Listener* taken_by(const Listener& listener, std::map<std::uint16_t, ByHost>& ports) {
  const bool wildcard = is_wildcard_host(listener.address.host);
  const std::string_view host = wildcard ? "*" : host_of(listener.address);
  ByHost& hosts = ports[listener.address.port];
  if (wildcard && !hosts.empty()) {
    return hosts.begin()->second;
  }
  for (const std::string_view rival : {std::string_view("*"), host}) {
    if (const auto found = hosts.find(rival); found != hosts.end()) {
      return found->second;
    }
  }
  if (listener.address.port != 0) {
    hosts.emplace(host, &listener);
  }
  return nullptr;
}

void check_listeners(const Checker& check) {
  const std::vector<Listener> all = listeners(check.settings);
  std::map<std::uint16_t, ByHost> ports;
  for (const Listener& listener : all) {
    if (!check.settings.ring.present && !is_loopback(listener.address)) {
      check.complain(
          {listener.key, "ring"},
          "without a ring: block everything binds loopback; write 127.0.0.1, or add a ring: block");
    }
    const Listener* other = taken_by(listener, ports);
    if (other == nullptr) {
      continue;
    }
    // At the key that someone wrote, not at a default.
    const bool written = check.report.written(listener.key) || !check.report.written(other->key);
    const Listener& at = written ? listener : *other;
    const Listener& taken = written ? *other : listener;
    check.complain({at.key, taken.key}, fmt::format("listens on the same port as {} ({})",
                                                    taken.key, taken.address.to_string()));
  }
}

void check_targets(const Checker& check) {
  const Settings& settings = check.settings;
  const std::string own = own_host(settings);
  for (const Listener& listener : listeners(settings)) {
    if (settings.service && arrives(settings.service->address, listener.address, own)) {
      check.complain({"service.address", listener.key, "service", "ring.advertise"},
                     fmt::format("is where the local app listens, but {} listens on {}",
                                 listener.key, listener.address.to_string()));
    }
  }
  for (const auto& [name, upstream] : settings.upstreams) {
    const std::string key = fmt::format("upstreams.{}.endpoints", name);
    for (const Address& endpoint : upstream.endpoints) {
      if (arrives(endpoint, settings.proxy.outbound, own)) {
        check.complain({key, "proxy.outbound"},
                       fmt::format("{} is this sidecar's own proxy.outbound: calls would go round",
                                   endpoint.to_string()));
      }
    }
  }
}

void check_trust(const Checker& check) {
  const Ring& ring = check.settings.ring;
  if (!ring.present || ring.insecure) {
    return;
  }
  std::string where;
  std::string_view key;
  if (!is_loopback(ring.listen)) {
    key = "ring.listen";
    where = ring.listen.to_string();
  } else if (ring.advertise && !is_loopback(*ring.advertise)) {
    key = "ring.advertise";
    where = ring.advertise->to_string();
  }
  for (const Voter& voter : ring.voters) {
    if (key.empty() && !is_loopback(voter.address)) {
      key = "ring.voters";
      where = voter.address.to_string();
    }
  }
  if (!key.empty()) {
    check.complain(
        {key, "ring.insecure", "ring.tls"},
        fmt::format("ring.tls is required off loopback; TLS is not in this version, so write "
                    "ring.insecure: true to accept plain text ({} is not loopback)",
                    where));
  }
}

void check_identity(const Checker& check) {
  const Ring& ring = check.settings.ring;
  std::string ids;
  const Voter* by_id = nullptr;
  const Voter* by_address = nullptr;
  for (const Voter& voter : ring.voters) {
    ids += fmt::format("{}{}", ids.empty() ? "" : ", ", voter.id);
    by_id = ring.id == voter.id ? &voter : by_id;
    by_address = ring.advertise == voter.address ? &voter : by_address;
  }
  if (ring.id && !ring.voters.empty() && by_id == nullptr) {
    check.complain(
        {"ring.id", "ring.voters"},
        fmt::format("{} is not among ring.voters ({}); leave ring.id out for an observer", *ring.id,
                    ids));
  } else if (by_id != nullptr && ring.advertise && by_id != by_address) {
    check.complain({"ring.advertise", "ring.id", "ring.voters"},
                   fmt::format("is {}, but voter {} is {} in ring.voters",
                               ring.advertise->to_string(), by_id->id, by_id->address.to_string()));
  }
}

// Others must be able to come back to us.
void check_reach(const Checker& check) {
  const Settings& settings = check.settings;
  const Ring& ring = settings.ring;
  const auto outside = std::ranges::find_if(ring.voters, [](const Voter& voter) {
    return is_ip_host(voter.address.host) && !is_loopback(voter.address);
  });
  if (outside == ring.voters.end()) {
    return;
  }
  const std::string example = outside->address.to_string();
  if (ring.advertise && is_loopback(*ring.advertise)) {
    check.complain({"ring.advertise", "ring.voters"},
                   fmt::format("is loopback, where voters such as {} cannot reach it", example));
  }
  if (settings.service && is_loopback_host(settings.service->advertise)) {
    check.complain({"service.advertise", "ring.voters"},
                   fmt::format("is loopback, where sidecars such as {} cannot reach it", example));
  }
  if (settings.service && settings.service->advertise.empty() && !ring.advertise) {
    check.complain({"service.advertise", "ring.advertise", "ring.voters"},
                   "is needed (or ring.advertise): the host that other sidecars reach");
  }
}

void check_times(const Checker& check) {
  const Ring& ring = check.settings.ring;
  if (ring.election_timeout < 3 * ring.heartbeat_interval) {
    check.complain(
        {"ring.election_timeout", "ring.heartbeat_interval"},
        fmt::format("{} is out of range: at least 3 times ring.heartbeat_interval ({})",
                    show_duration(ring.election_timeout), show_duration(ring.heartbeat_interval)));
  }
  if (ring.session_timeout < 2 * ring.election_timeout) {
    check.complain(
        {"ring.session_timeout", "ring.election_timeout"},
        fmt::format("{} is out of range: at least 2 times ring.election_timeout ({})",
                    show_duration(ring.session_timeout), show_duration(ring.election_timeout)));
  }
}

// Bytes name no service: only a port of its own can.
void check_protocol(const Checker& check, const std::string& block, const Upstream& upstream) {
  if (upstream.protocol == Protocol::kTcp && !upstream.listen) {
    check.complain({block + ".protocol", block + ".listen"},
                   "tcp needs a port of its own: add listen, e.g. listen: 127.0.0.1:9001");
  }
}

void check_breaker(const Checker& check, const std::string& block, const CircuitBreaker& breaker) {
  if (breaker.open_for_max < breaker.open_for) {
    const std::string longest = block + ".circuit_breaker.open_for_max";
    const std::string first = block + ".circuit_breaker.open_for";
    const bool written = check.report.written(longest) || !check.report.written(first);
    check.complain(
        {written ? longest : first, written ? first : longest, "defaults.circuit_breaker"},
        fmt::format("open_for ({}) is longer than open_for_max ({})",
                    show_duration(breaker.open_for), show_duration(breaker.open_for_max)));
  }
}

}  // namespace

void validate(const Settings& settings, Report& report) {
  const Checker check{settings, report};
  check_trust(check);
  check_identity(check);
  check_reach(check);
  check_times(check);
  check_listeners(check);
  check_targets(check);
  check_breaker(check, "defaults", settings.defaults.circuit_breaker);
  for (const auto& [name, upstream] : settings.upstreams) {
    check_breaker(check, "upstreams." + name, upstream.circuit_breaker);
    check_protocol(check, "upstreams." + name, upstream);
  }
}

std::vector<Problem> check(const Settings& settings) {
  Report report("settings", 0);
  validate(settings, report);
  return report.take();
}

}  // namespace ringside::config
