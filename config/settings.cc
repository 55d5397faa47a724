#include "config/settings.h"

#include <fmt/format.h>

namespace ringside::config {

std::string Address::to_string() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

const char* to_string(Balance balance) {
  switch (balance) {
    case Balance::kRoundRobin: return "round_robin";
    case Balance::kWeighted: return "weighted";
    case Balance::kLeastConnection: return "least_connection";
  }
  return "unknown";
}

const Upstream& Settings::upstream(const std::string& service_name) const {
  const auto found = upstreams.find(service_name);
  return found == upstreams.end() ? defaults : found->second;
}

}  // namespace ringside::config
