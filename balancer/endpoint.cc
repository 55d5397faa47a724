#include "balancer/endpoint.h"

namespace ringside::balancer {

const char* to_string(EndpointState state) {
  switch (state) {
    case EndpointState::kUp: return "up";
    case EndpointState::kUnhealthy: return "unhealthy";
    case EndpointState::kDraining: return "draining";
  }
  return "unknown";
}

}  // namespace ringside::balancer
