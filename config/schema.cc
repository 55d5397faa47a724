#include "config/schema.h"

#include <fmt/format.h>

#include <utility>

#include "config/health_check_keys.h"

namespace ringside::config {

namespace {

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;

constexpr std::string_view kHostPort = "HOST:PORT";

// A key whose value is one field; `field` leads from the target to it.
template <typename Target, typename Field>
Key<Target> key(std::string_view path, Field, Rule rule, bool live) {
  Key<Target> row;
  const Target fresh{};
  row.path = path;
  row.rule = rule;
  row.live = live;
  row.fallback = show(rule, Field{}(fresh));
  row.range = rule.range.empty() ? range(rule, &Field{}(fresh)) : std::string(rule.range);
  row.read = [](const Input& in, Target& out) {
    if (in.node.kind != Node::Kind::kNull || !in.rule.may_be_empty) {
      read(in, Field{}(out));
    }
  };
  row.show = [](const Rule& own, const Target& from) { return show(own, Field{}(from)); };
  row.same = [](const Target& a, const Target& b) { return Field{}(a) == Field{}(b); };
  row.copy = [](const Target& from, Target& to) { Field{}(to) = Field{}(from); };
  return row;
}

// A key whose feature this version does not have: `neutral` says what it may still be.
template <typename Target>
Key<Target> later(std::string_view path, std::string_view neutral) {
  Key<Target> row;
  row.path = path;
  row.rule.none = neutral;
  row.later = true;
  row.fallback = neutral;
  row.range = "not in this version";
  row.read = [](const Input& in, Target&) {
    const Node& node = in.node;
    const bool scalar = node.kind == Node::Kind::kScalar;
    const std::string_view only = in.rule.none;
    // Tools that rewrite YAML turn off into false.
    const bool off = only == "off" && node.text == "false";
    if (node.kind == Node::Kind::kNull || (scalar && (node.text == only || off))) {
      return;
    }
    if (only.empty()) {
      in.problem(node.place, "this key is not in this version; leave it out");
    } else {
      in.problem(node.place, fmt::format("{} is not in this version; write {} or leave the key out",
                                         describe(node), only));
    }
  };
  return row;
}

Rule numbers(std::int64_t low, std::int64_t high) {
  return Rule{.low = low, .high = high};
}
Rule text(std::string (*check)(std::string&), std::string_view range, bool may_be_empty = false) {
  return Rule{.check = check, .may_be_empty = may_be_empty, .range = range};
}

// A key that is called as its field is.
#define FIELD(path) #path, [](auto& target) -> auto& { return target.path; }

std::vector<Key<Settings>> make_settings_keys() {
  const Rule listen{.range = kHostPort};
  const Rule advertise{.reached = true, .may_be_empty = true, .range = kHostPort};
  const Rule voters{.range = "list of ID@HOST:PORT, ID 1..255"};
  const Rule inbound{.none = "off", .range = "HOST:PORT or off"};
  const Rule id{.low = 1, .high = 255, .may_be_empty = true};
  const Rule domains = text(check_domain, "list of DNS suffixes");
  const auto restart = [](std::string_view path, auto field, Rule rule) {
    return key<Settings>(path, field, rule, false);
  };
  const auto live = [](std::string_view path, auto field, Rule rule) {
    return key<Settings>(path, field, rule, true);
  };
  return {
      restart(FIELD(ring.name), text(check_ring_name, "1 to 63 letters, digits, . - _")),
      restart(FIELD(ring.id), id),
      restart(FIELD(ring.listen), listen),
      restart(FIELD(ring.advertise), advertise),
      restart(FIELD(ring.voters), voters),
      restart(FIELD(ring.data_dir), text(check_text_value, "a folder", true)),
      restart(FIELD(ring.heartbeat_interval), numbers(10, 10 * kSecond)),
      restart(FIELD(ring.election_timeout), numbers(50, kMinute)),
      restart(FIELD(ring.session_timeout), numbers(500, 10 * kMinute)),
      later<Settings>("ring.client_listen", "off"),
      later<Settings>("ring.tls", ""),
      restart(FIELD(ring.insecure), {}),
      later<Settings>("registry.engine", "ring"),
      restart(FIELD(proxy.outbound), listen),
      restart(FIELD(proxy.inbound), inbound),
      restart(FIELD(proxy.workers), numbers(1, 256)),
      live(FIELD(proxy.domains), domains),
      later<Settings>("proxy.external", "refuse"),
      restart(
          "proxy.header_limit",
          [](auto& target) -> auto& { return target.proxy.header_limit_bytes; },
          numbers(1024, 1024 * 1024)),
      live(FIELD(drain.timeout), numbers(0, kHour)),
      live(FIELD(drain.settle), numbers(0, kHour)),
      restart(
          "admin.listen", [](auto& target) -> auto& { return target.admin; }, listen),
      live(FIELD(log.level), {}),
      live(FIELD(log.format), {}),
      live(FIELD(log.access), Rule{.none = "off"}),
  };
}

std::vector<Key<Service>> make_service_keys() {
  const Rule address{.reached = true, .range = kHostPort};
  const auto restart = [](std::string_view path, auto field, Rule rule) {
    return key<Service>(path, field, rule, false);
  };
  const auto live = [](std::string_view path, auto field, Rule rule) {
    return key<Service>(path, field, rule, true);
  };
  std::vector<Key<Service>> keys{
      restart(FIELD(name), text(check_label, "one DNS label")),
      restart(FIELD(address), address),
      restart(FIELD(advertise), text(check_host, "a host without a port", true)),
      live(FIELD(weight), numbers(1, 1000)),
      live(FIELD(zone), text(check_text_value, "text, at most 255 bytes", true)),
      live(FIELD(metadata), Rule{.range = "at most 64 names with texts"}),
  };
  keys[1].fallback.clear();  // required, as the name is
  keys[0].fallback.clear();
  for (Key<Service>& row : health_check_kinds()) {
    keys.push_back(std::move(row));
  }
  keys.push_back(live(FIELD(health_check.interval), numbers(10, kHour)));
  keys.push_back(live(FIELD(health_check.timeout), numbers(1, kHour)));
  keys.push_back(live(FIELD(health_check.rise), numbers(1, 100)));
  keys.push_back(live(FIELD(health_check.fall), numbers(1, 100)));
  return keys;
}

std::vector<Key<Upstream>> make_upstream_keys() {
  const Rule listen{.may_be_empty = true, .range = kHostPort};
  const Rule endpoints{.reached = true, .range = "list of HOST:PORT"};
  const Rule causes{.range = "list of connect_failure, refused, reset, timeout, 500..599"};
  const auto live = [](std::string_view path, auto field, Rule rule) {
    return key<Upstream>(path, field, rule, true);
  };
  return {
      live(FIELD(listen), listen),
      live(FIELD(protocol), {}),
      live(FIELD(balance), {}),
      live(FIELD(endpoints), endpoints),
      live(FIELD(timeouts.connect), numbers(1, kHour)),
      live(FIELD(timeouts.per_try), numbers(0, 24 * kHour)),
      live(FIELD(timeouts.response), numbers(0, 24 * kHour)),
      live(FIELD(timeouts.idle), numbers(0, 24 * kHour)),
      live(FIELD(retry.attempts), numbers(0, 10)),
      live(FIELD(retry.on), causes),
      later<Upstream>("retry.budget", ""),
      live(FIELD(circuit_breaker.consecutive_failures), numbers(0, 10000)),
      live(FIELD(circuit_breaker.failure_ratio), numbers(0, 1)),
      live(FIELD(circuit_breaker.slow_ratio), numbers(0, 1)),
      live(FIELD(circuit_breaker.slow_call), numbers(1, kHour)),
      live(FIELD(circuit_breaker.request_volume), numbers(1, 1000000)),
      live(FIELD(circuit_breaker.window), numbers(100, kHour)),
      live(FIELD(circuit_breaker.open_for), numbers(1, kHour)),
      live(FIELD(circuit_breaker.open_for_max), numbers(1, kHour)),
      live(FIELD(circuit_breaker.half_open_requests), numbers(1, 1000)),
      live(FIELD(limits.connections), numbers(1, 1000000)),
      live(FIELD(limits.pending), numbers(0, 1000000)),
      live(FIELD(limits.requests), numbers(1, 1000000)),
      later<Upstream>("slow_start", "0s"),
      live(FIELD(panic_threshold), numbers(0, 100)),
      later<Upstream>("load_metric", ""),
  };
}

#undef FIELD

template <typename Target>
void collect(std::span<const Key<Target>> keys, std::string_view block, std::vector<KeyInfo>& out) {
  for (const Key<Target>& row : keys) {
    out.push_back(KeyInfo{join_key(block, row.path), row.fallback, row.range, row.live, row.later});
  }
}

}  // namespace

std::span<const Key<Settings>> settings_keys() {
  static const std::vector<Key<Settings>> keys = make_settings_keys();
  return keys;
}

std::span<const Key<Service>> service_keys() {
  static const std::vector<Key<Service>> keys = make_service_keys();
  return keys;
}

std::span<const Key<Upstream>> upstream_keys() {
  static const std::vector<Key<Upstream>> keys = make_upstream_keys();
  return keys;
}

std::vector<KeyInfo> known_keys() {
  std::vector<KeyInfo> out;
  collect(service_keys(), "service", out);
  collect(settings_keys(), "", out);
  collect(upstream_keys(), "upstreams.NAME", out);
  return out;
}

}  // namespace ringside::config
