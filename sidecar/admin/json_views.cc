#include "sidecar/admin/json_views.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sidecar/admin/json_text.h"

namespace ringside::admin {

namespace {

using json = nlohmann::ordered_json;

const char* ring_word(const Snapshot& snapshot) {
  if (snapshot.stale) {
    return "stale";  // product.md fixes the word: also for a fenced member, which `fenced` tells of
  }
  return snapshot.ring.fenced.empty() ? "ok" : "fenced";
}

json registration(const RegistrationView& view) {
  if (!view.wanted) {
    return nullptr;
  }
  return {{"service", view.service},
          {"instance", view.instance},
          {"state", view.state},
          {"health", view.health},
          {"detail", view.detail}};
}

const char* breaker_word(const balancer::Upstream& upstream, const balancer::HostEntry& entry) {
  switch (entry.host->breaker_state(upstream.settings().circuit_breaker)) {
    case balancer::BreakerState::kClosed: return "closed";
    case balancer::BreakerState::kHalfOpen: return "half_open";
    case balancer::BreakerState::kOpen: return "open";
  }
  return "closed";
}

json endpoint_of(const balancer::Upstream& upstream, const balancer::HostEntry& entry) {
  const balancer::Endpoint& endpoint = entry.endpoint;
  return {{"instance", endpoint.instance},
          {"host", endpoint.host},
          {"port", endpoint.port},
          {"inbound_port", endpoint.inbound_port},
          {"state", balancer::to_string(endpoint.state)},
          {"breaker", breaker_word(upstream, entry)},
          {"in_flight", entry.host->in_flight()},
          {"weight", endpoint.weight},
          {"zone", endpoint.zone},
          {"metadata", endpoint.metadata}};
}

std::string address_of(const RingView& ring, coord::MemberId id) {
  const auto found = std::find_if(ring.addresses.begin(), ring.addresses.end(),
                                  [id](const auto& entry) { return entry.first == id; });
  return found == ring.addresses.end() ? "" : found->second;
}

json members_of(const RingView& ring) {
  json members = json::array();
  for (const auto& member : ring.status.members) {
    members.push_back(
        json{{"id", member.id.value},
             {"address", address_of(ring, member.id)},
             {"voter", member.voter},
             {"role", coord::to_string(member.role)},
             {"connected", member.connected},
             {"zxid", member.zxid.to_string()},
             {"routed_zxid", member.routed ? json(member.routed->to_string()) : json(nullptr)}});
  }
  return members;
}

}  // namespace

std::string status_json(const Snapshot& snapshot, Instant now) {
  const double uptime = std::chrono::duration<double>(now - snapshot.started).count();
  json out{{"name", snapshot.name},
           {"service", snapshot.service},
           {"version", snapshot.version},
           {"uptime_seconds", uptime},
           {"ready", snapshot.ready},
           {"ring", ring_word(snapshot)},
           {"draining", snapshot.drain.state != DrainState::kServing},
           {"registration", registration(snapshot.registration)}};
  if (!snapshot.not_ready.empty()) {
    out["not_ready"] = snapshot.not_ready;
  }
  if (!snapshot.ring.status.waiting_for.empty()) {
    out["waiting_for"] = snapshot.ring.status.waiting_for;
  }
  if (!snapshot.ring.status.short_of_room.empty()) {
    out["short_of_room"] = snapshot.ring.status.short_of_room;
  }
  if (!snapshot.ring.fenced.empty()) {
    out["fenced"] = snapshot.ring.fenced;
  }
  if (!snapshot.config_problem.empty()) {
    out["config_problem"] = snapshot.config_problem;
  }
  return text_of(out);
}

std::string services_json(const Snapshot& snapshot) {
  json services = json::array();
  if (snapshot.table) {
    for (const auto name : snapshot.table->names()) {
      const auto hosts = snapshot.table->find(name)->hosts();
      const auto up =
          std::count_if(hosts.begin(), hosts.end(), [](const balancer::HostEntry& entry) {
            return entry.endpoint.state == balancer::EndpointState::kUp;
          });
      services.push_back(
          json{{"service", std::string(name)}, {"endpoints", hosts.size()}, {"up", up}});
    }
  }
  return text_of({{"services", std::move(services)}});
}

std::optional<std::string> service_json(const Snapshot& snapshot, std::string_view service) {
  std::string name(service);  // names are case-insensitive, the table's are lower case
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const balancer::Upstream* upstream = snapshot.table ? snapshot.table->find(name) : nullptr;
  if (upstream == nullptr) {
    return std::nullopt;
  }
  json endpoints = json::array();
  for (const auto& entry : upstream->hosts()) {
    endpoints.push_back(endpoint_of(*upstream, entry));
  }
  return text_of({{"service", upstream->name()},
                  {"balance", config::to_string(upstream->settings().balance)},
                  {"panic", upstream->panic()},
                  {"endpoints", std::move(endpoints)}});
}

std::string ring_json(const Snapshot& snapshot) {
  const RingView& ring = snapshot.ring;
  const coord::RingStatus& status = ring.status;
  json out{{"name", ring.name},
           {"birth_id", fmt::format("{:016x}", status.birth.value)},
           {"id", status.self.value},
           {"role", coord::to_string(status.role)},
           {"leader", status.leader ? json(status.leader->value) : json(nullptr)},
           {"epoch", status.epoch.value},
           {"applied_zxid", status.applied.to_string()},
           {"routed_zxid", hex(ring.routed_zxid)},
           {"quorum", status.quorum},
           {"view_age_seconds", ring.view_age_seconds},
           {"sessions", status.sessions},
           {"znodes", status.znodes},
           {"members", members_of(ring)}};
  if (status.routed_minimum) {
    out["routed_minimum_zxid"] = status.routed_minimum->to_string();
  }
  if (!status.waiting_for.empty()) {
    out["waiting_for"] = status.waiting_for;
  }
  if (!status.short_of_room.empty()) {
    out["short_of_room"] = status.short_of_room;
  }
  if (!ring.fenced.empty()) {
    out["fenced"] = ring.fenced;
  }
  return text_of(out);
}

std::string ready_json(const Snapshot& snapshot) {
  json out{{"ready", snapshot.ready}, {"ring", ring_word(snapshot)}};
  if (!snapshot.ready) {
    out["reason"] = snapshot.not_ready;
  }
  return text_of(out);
}

std::string error_json(std::string_view error, std::string_view hint) {
  return text_of({{"error", error}, {"hint", hint}});
}

}  // namespace ringside::admin
