#include "balancer/endpoint.h"

#include <algorithm>
#include <utility>

namespace ringside::balancer {

void order_by_instance(EndpointList& endpoints) {
  const auto instance_of = [](const std::shared_ptr<const Endpoint>& one) -> const std::string& {
    return one->instance;
  };
  // A registry lists its entries in order: look before moving them all about.
  if (!std::ranges::is_sorted(endpoints, {}, instance_of)) {
    std::ranges::stable_sort(endpoints, {}, instance_of);
  }
  const auto rest = std::ranges::unique(endpoints, {}, instance_of);
  endpoints.erase(rest.begin(), rest.end());
}

std::string upstream_name(std::string service) {
  for (char& letter : service) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return service;
}

const char* to_string(EndpointState state) {
  switch (state) {
    case EndpointState::kUp: return "up";
    case EndpointState::kUnhealthy: return "unhealthy";
    case EndpointState::kDraining: return "draining";
  }
  return "unknown";
}

}  // namespace ringside::balancer
