// Endpoint: where one instance of a service listens and what its sidecar says about it.
//
// Made by sidecar/discovery from a registry entry, or by build_table from `endpoints` in the
// settings; read by everyone. A plain value without a thread rule. The live side of an instance
// (requests in flight, breaker) is Host, in host.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ringside::balancer {

// As written in the registry. A draining instance still serves, but wants no new work.
enum class EndpointState : std::uint8_t { kUp, kUnhealthy, kDraining };
const char* to_string(EndpointState state);  // "up", "unhealthy", "draining"

inline constexpr int kDefaultWeight = 100;
inline constexpr int kMaxWeight = 1000;

struct Endpoint {
  std::string service;             // lower case
  std::string instance;            // HOST-PORT-hhhhhhhh; a fixed one: its host:port
  std::string host;                // name or address, without brackets
  std::uint16_t port = 0;          // where the app listens
  std::uint16_t inbound_port = 0;  // where its sidecar listens; 0: call the app directly
  int weight = kDefaultWeight;     // 1..1000
  std::string zone;
  EndpointState state = EndpointState::kUp;
  std::map<std::string, std::string> metadata;
  bool fixed = false;  // written in the settings; in no registry

  bool operator==(const Endpoint&) const = default;
};

// Those of one service, in the order of their instances, each instance once. Shared, so that what
// did not change from one version to the next is not copied.
using EndpointList = std::vector<std::shared_ptr<const Endpoint>>;

// Makes such a list of one in any order; of two with the same instance the first stays.
void order_by_instance(EndpointList& endpoints);

// The upstream that a service's calls go by: its name in lower case.
std::string upstream_name(std::string service);

// What makes two endpoints of two versions the same instance.
struct HostIdentity {
  std::string service;
  std::string instance;
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const HostIdentity&) const = default;
};

}  // namespace ringside::balancer
