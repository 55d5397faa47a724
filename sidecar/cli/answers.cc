#include "sidecar/cli/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "sidecar/cli/tables.h"
#include "sidecar/logging/log.h"

namespace ringside::cli {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 3> kLater{"config", "znode", "explain"};
constexpr std::array<std::string_view, 2> kLaterOfRing{"add", "remove"};

// A member that is a string, else nothing.
std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

std::optional<std::string> later_command(std::span<const std::string_view> arguments) {
  const auto has = [](const auto& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (arguments.empty()) {
    return std::nullopt;
  }
  if (has(kLater, arguments[0])) {
    return std::string(arguments[0]);
  }
  for (const auto argument : arguments.subspan(1)) {
    if (arguments[0] == "ring" && has(kLaterOfRing, argument)) {
      return fmt::format("ring {}", argument);
    }
  }
  return std::nullopt;
}

std::string path_of(std::string_view query, std::string_view service) {
  return query == "endpoints" ? fmt::format("/v1/services/{}", service)
                              : fmt::format("/v1/{}", query);
}

std::optional<std::string> as_table(std::string_view query, std::string_view json) {
  if (query == "status") return status_table(json);
  if (query == "services") return services_table(json);
  if (query == "endpoints") return endpoints_table(json);
  return ring_table(json);
}

std::string error_text(const AdminAnswer& answer) {
  const json body = json::parse(answer.body, nullptr, false);
  const std::string error = text_of(body, "error");
  if (error.empty()) {
    return fmt::format("the admin API answered {}: {}", answer.status,
                       logging::printable(answer.body));
  }
  const std::string hint = text_of(body, "hint");
  return logging::printable(hint.empty() ? error : error + "; " + hint);
}

std::string not_ready_reason(const AdminAnswer& answer) {
  const std::string reason = text_of(json::parse(answer.body, nullptr, false), "reason");
  return reason.empty() ? error_text(answer) : logging::printable(reason);
}

std::optional<DrainSaid> drain_said(std::string_view drain_json) {
  constexpr std::size_t kNamed = 5;
  const json drain = json::parse(drain_json, nullptr, false);
  DrainSaid said{logging::printable(text_of(drain, "state")), ""};
  if (said.state.empty()) {
    return std::nullopt;
  }
  const auto behind = drain.find("behind");
  const auto acknowledged = drain.find("acknowledged");
  if (acknowledged != drain.end() && acknowledged->is_boolean() && acknowledged->get<bool>()) {
    const auto in_flight = drain.find("in_flight");
    said.waiting = fmt::format("{} calls are under way",
                               in_flight != drain.end() && in_flight->is_number_integer()
                                   ? in_flight->get<std::int64_t>()
                                   : 0);
  } else if (behind == drain.end() || !behind->is_array() || behind->empty()) {
    said.waiting = "the ring has not answered yet";
  } else {
    said.waiting = fmt::format("{} sidecars may still send here:", behind->size());
    for (std::size_t i = 0; i < std::min(behind->size(), kNamed); ++i) {
      const json& sidecar = (*behind)[i];
      const auto member = sidecar.is_object() ? sidecar.find("member") : sidecar.end();
      said.waiting += fmt::format(
          " {}@{}", member != sidecar.end() && member->is_number_integer() ? member->dump() : "?",
          logging::printable(text_of(sidecar, "address")));
    }
    said.waiting += behind->size() > kNamed ? " and others" : "";
  }
  return said;
}

bool registered(std::string_view status_json) {
  const json status = json::parse(status_json, nullptr, false);
  const auto registration = status.find("registration");
  return registration != status.end() && text_of(*registration, "state") == "registered";
}

}  // namespace ringside::cli
