// The settings of one sidecar as plain values: what a YAML file, --set and the command line come
// to.
//
// Made by yaml_reader, checked by validate, read by everyone above. Each field says its default;
// units are in the types. Immutable once made: it is handed around as shared_ptr<const Settings>.
// config/README.md lists every key for users.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/base/time.h"

namespace ringside::config {

// A host (name, IPv4 or IPv6 address without brackets) and a port; written host:port or [v6]:port.
struct Address {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const Address&) const = default;
  [[nodiscard]] std::string to_string() const;
};

enum class HealthCheckKind { kNone, kTcp, kHttp };

struct HealthCheck {
  HealthCheckKind kind = HealthCheckKind::kTcp;
  std::string http_path;        // kHttp: begins with '/'
  milliseconds interval{2000};  // 10 ms .. 1 h
  milliseconds timeout{1000};   // 1 ms .. 1 h
  int rise = 2;                 // 1..100: passes in a row before an unhealthy instance is up again
  int fall = 3;                 // 1..100: failures in a row before it is unhealthy
  bool operator==(const HealthCheck&) const = default;
};

struct Service {
  std::string name;       // one DNS label, lower case
  Address address;        // where the local app listens
  std::string advertise;  // host that other sidecars reach; empty: the host of ring.advertise
  int weight = 100;       // 1..1000
  std::string zone;
  std::map<std::string, std::string> metadata;
  HealthCheck health_check;
  bool operator==(const Service&) const = default;
};

// One entry of ring.voters: ID@HOST:PORT.
struct Voter {
  std::uint64_t id = 0;  // 1..255
  Address address;
  bool operator==(const Voter&) const = default;
};

struct Ring {
  bool present = false;  // the file has a ring: block; without one everything binds loopback and
                         // the ring has one member
  std::string name = "default";
  std::optional<std::uint64_t>
      id;  // default: the voters entry equal to advertise; observers draw one
  Address listen{"0.0.0.0", 4150};  // without a ring: block 127.0.0.1
  std::optional<Address> advertise;
  std::vector<Voter> voters;             // empty: a ring of one
  std::string data_dir;                  // empty: chosen at start as product.md says
  milliseconds heartbeat_interval{100};  // 10 ms .. 10 s
  milliseconds election_timeout{1000};   // 50 ms .. 60 s, at least 3 heartbeat intervals
  milliseconds session_timeout{6000};    // 500 ms .. 10 min, at least 2 election timeouts
  bool insecure = false;
  bool operator==(const Ring&) const = default;
};

enum class Balance { kRoundRobin, kWeighted, kLeastConnection };
const char* to_string(Balance balance);  // as written in YAML

enum class Protocol { kHttp, kTcp };

struct Timeouts {
  milliseconds connect{1000};    // 1 ms .. 1 h
  milliseconds per_try{0};       // 0: none
  milliseconds response{30000};  // 0: none; until the response's head has arrived
  milliseconds idle{300000};     // 0: none; no byte either way
  bool operator==(const Timeouts&) const = default;
};

// What a retry may follow on. Status codes are listed apart.
struct RetryOn {
  bool connect_failure = true;
  bool refused = true;
  bool reset = true;
  bool timeout = false;
  std::vector<int> statuses{502, 503, 504};  // 500..599
  bool operator==(const RetryOn&) const = default;
};

struct Retry {
  int attempts = 2;  // 0..10 retries after the first try
  RetryOn on;
  bool operator==(const Retry&) const = default;
};

struct CircuitBreaker {
  int consecutive_failures = 7;  // 0: off; ..10000
  double failure_ratio = 0.5;    // 0: off; ..1
  double slow_ratio = 0;         // 0: off; ..1
  milliseconds slow_call{5000};
  int request_volume = 20;      // 1..1000000 results in the window before a ratio counts
  milliseconds window{10000};   // 100 ms .. 1 h
  milliseconds open_for{5000};  // 1 ms .. 1 h; doubles each time a probe fails, up to
  milliseconds open_for_max{60000};
  int half_open_requests = 1;  // 1..1000 probes at a time, all of which must be good
  bool operator==(const CircuitBreaker&) const = default;
};

// How much of an upstream is in use at a time, over all workers.
struct Limits {
  int connections = 1024;  // 1..1000000, to each endpoint
  int pending = 1024;      // 0..1000000 requests that wait for one of the other two
  int requests = 1024;     // 1..1000000 under way
  bool operator==(const Limits&) const = default;
};

// The settings of one upstream, or of `defaults`.
struct Upstream {
  std::optional<Address> listen;        // a fixed local port for this upstream
  Protocol protocol = Protocol::kHttp;  // kTcp: what comes in by `listen` is passed on as bytes
  Balance balance = Balance::kLeastConnection;
  std::vector<Address> endpoints;  // static ones, added to those discovered
  Timeouts timeouts;
  Retry retry;
  CircuitBreaker circuit_breaker;
  Limits limits;
  int panic_threshold =
      50;  // 0..100 percent of endpoints that are up; below it health is ignored; 0: off
  bool operator==(const Upstream&) const = default;
};

struct Proxy {
  Address outbound{"127.0.0.1", 4140};
  std::optional<Address> inbound{
      Address{"0.0.0.0", 4143}};                 // none: off. Without a ring: block 127.0.0.1
  int workers = 1;                               // 1..256
  std::vector<std::string> domains{"ringside"};  // suffixes stripped from a service name
  std::uint32_t header_limit_bytes = 64 * 1024;  // 1 KiB .. 1 MiB
  bool operator==(const Proxy&) const = default;
};

struct Drain {
  milliseconds timeout{30000};
  milliseconds settle{5000};
  bool operator==(const Drain&) const = default;
};

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kJson, kText };

struct Log {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kJson;
  bool access = false;
  bool operator==(const Log&) const = default;
};

struct Settings {
  std::optional<Service> service;
  Ring ring;
  Proxy proxy;
  Drain drain;
  Upstream defaults;
  std::map<std::string, Upstream> upstreams;  // by service name; each complete (defaults merged in)
  Address admin{"127.0.0.1", 4191};
  Log log;

  // The settings that calls to `service` go by: its own upstream block, else the defaults.
  [[nodiscard]] const Upstream& upstream(const std::string& service_name) const;
  bool operator==(const Settings&) const = default;
};

}  // namespace ringside::config
