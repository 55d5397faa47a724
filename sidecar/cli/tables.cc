#include "sidecar/cli/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "sidecar/logging/log.h"

namespace ringside::cli {

namespace {

using json = nlohmann::json;
using Row = std::vector<std::string>;

std::string cell(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "-";
  if (found->is_string())
    return found->get<std::string>().empty() ? "-" : logging::printable(found->get<std::string>());
  if (found->is_number_float()) return fmt::format("{:.1f}", found->get<double>());
  if (found->is_boolean()) return found->get<bool>() ? "yes" : "no";
  return logging::printable(found->dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string aligned(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

// Header, then one row per element of the list, one cell per key.
std::string list_table(const json& list, const std::vector<const char*>& keys) {
  std::vector<Row> rows{Row(keys.begin(), keys.end())};
  for (const auto& item : list) {
    Row row;
    for (const char* key : keys) row.push_back(cell(item, key));
    rows.push_back(std::move(row));
  }
  return aligned(rows);
}

// One line per key that is there.
std::string pairs(const json& object, const std::vector<const char*>& keys) {
  std::vector<Row> rows;
  for (const char* key : keys) {
    if (object.contains(key)) rows.push_back({key, cell(object, key)});
  }
  return aligned(rows);
}

std::optional<json> object_of(std::string_view text) {
  json value = json::parse(text, nullptr, false);
  return value.is_object() ? std::optional<json>(std::move(value)) : std::nullopt;
}

}  // namespace

std::optional<std::string> status_table(std::string_view text) {
  const auto status = object_of(text);
  if (!status) return std::nullopt;
  std::string out =
      pairs(*status, {"name", "service", "version", "uptime_seconds", "ready", "not_ready", "ring",
                      "waiting_for", "short_of_room", "fenced", "draining", "config_problem"});
  const auto registration = status->find("registration");
  if (registration != status->end() && registration->is_object()) {
    out += "\nregistration\n" + pairs(*registration, {"instance", "state", "health", "detail"});
  }
  return out;
}

std::optional<std::string> services_table(std::string_view text) {
  const auto services = object_of(text);
  if (!services || !services->contains("services")) return std::nullopt;
  return list_table((*services)["services"], {"service", "endpoints", "up"});
}

std::optional<std::string> endpoints_table(std::string_view text) {
  const auto service = object_of(text);
  if (!service || !service->contains("endpoints")) return std::nullopt;
  return list_table((*service)["endpoints"], {"instance", "host", "port", "inbound_port", "state",
                                              "breaker", "in_flight", "weight", "zone"});
}

std::optional<std::string> recovery_text(std::string_view text) {
  const auto view = object_of(text);
  if (!view || !view->contains("done") || !view->contains("last_zxid")) return std::nullopt;
  const auto done = view->find("done");
  std::string out = pairs(*view, {"id", "birth_id", "last_zxid", "committed_zxid", "uncommitted",
                                  "znodes", "sessions", "damage"});
  for (const char* key : {"old_voters", "voters"}) {
    const auto list = view->find(key);
    if (list == view->end() || !list->is_array()) continue;
    out += fmt::format("\n{}\n", key);
    for (const auto& voter : *list) {
      out += fmt::format("  {}\n", voter.is_string() ? logging::printable(voter.get<std::string>())
                                                     : std::string("-"));
    }
  }
  if (done->is_boolean() && done->get<bool>()) {
    return out +
           "\nThe ring began anew, under the birth above. Wipe the data_dir of every other old "
           "voter\nbefore it comes back: as it is, it is refused. Restart the sidecars that only "
           "observe.\n";
  }
  return out +
         "\nThis gives up the ring as it was and begins a new one from this voter's disk alone:\n"
         "- what only the other voters had is lost for good, also what was acknowledged;\n"
         "- what this voter has beyond committed_zxid (`uncommitted` transactions) becomes true;\n"
         "- every other old member is refused from then on: a voter until its data_dir is wiped, "
         "a\n"
         "  sidecar that only observes until it is restarted.\n"
         "If a quorum can be brought back, do that instead. Never do this on two members.\n";
}

std::optional<std::string> recovery_unfinished(std::string_view text) {
  const auto view = object_of(text);
  if (!view || !view->contains("unfinished") || !(*view)["unfinished"].is_string()) {
    return std::nullopt;
  }
  return logging::printable((*view)["unfinished"].get<std::string>());
}

std::optional<std::string> ring_table(std::string_view text) {
  const auto ring = object_of(text);
  if (!ring || !ring->contains("members")) return std::nullopt;
  return pairs(*ring, {"name", "birth_id", "id", "role", "leader", "epoch", "applied_zxid",
                       "routed_zxid", "routed_minimum_zxid", "quorum", "view_age_seconds",
                       "waiting_for", "short_of_room", "fenced"}) +
         "\n" +
         list_table((*ring)["members"],
                    {"id", "address", "voter", "role", "connected", "zxid", "routed_zxid"});
}

}  // namespace ringside::cli
