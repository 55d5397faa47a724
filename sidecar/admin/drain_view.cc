#include "sidecar/admin/drain_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace ringside::admin {

const char* to_string(DrainState state) {
  switch (state) {
    case DrainState::kServing: return "serving";
    case DrainState::kDraining: return "draining";
    case DrainState::kDrained: return "drained";
  }
  return "unknown";
}

std::string drain_json(const DrainView& view) {
  using json = nlohmann::ordered_json;
  json behind = json::array();
  for (const auto& sidecar : view.behind) {
    behind.push_back(json{{"member", sidecar.member.value},
                          {"address", sidecar.address},
                          {"session", fmt::format("{:#x}", sidecar.session.value)},
                          {"routed_zxid", sidecar.routed.to_string()}});
  }
  json out{{"state", to_string(view.state)},
           {"stopping", view.stopping},
           {"since_seconds", view.since_seconds},
           {"acknowledged", view.acknowledged},
           {"zxid", view.zxid ? json(view.zxid->to_string()) : json(nullptr)},
           {"behind", std::move(behind)},
           {"in_flight", view.in_flight}};
  if (!view.detail.empty()) {
    out["detail"] = view.detail;
  }
  return out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace ringside::admin
