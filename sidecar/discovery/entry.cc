#include "sidecar/discovery/entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ringside::discovery {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxMetadata = 64;

const char* state_name(balancer::EndpointState state) {
  switch (state) {
    case balancer::EndpointState::kUp: return "up";
    case balancer::EndpointState::kUnhealthy: return "unhealthy";
    case balancer::EndpointState::kDraining: return "draining";
  }
  return "up";
}

// Goes into header values, metrics and logs as it is.
bool visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// Reads members of one JSON object; the first wrong one is remembered with its name.
class Fields {
 public:
  explicit Fields(const json& object) : object_(object) {}

  std::string text(const char* name, bool required) {
    const auto found = object_.find(name);
    if (found == object_.end()) {
      if (required) wrong(name, "is missing");
      return {};
    }
    if (!found->is_string() || found->get_ref<const std::string&>().size() > kMaxName) {
      wrong(name, "is not a short string");
      return {};
    }
    return found->get<std::string>();
  }

  std::int64_t number(const char* name, std::int64_t low, std::int64_t high,
                      std::int64_t otherwise) {
    const auto found = object_.find(name);
    if (found == object_.end()) {
      if (otherwise < low) wrong(name, "is missing");
      return otherwise;
    }
    if (!found->is_number_integer()) {
      wrong(name, "is not a whole number");
      return otherwise;
    }
    const auto value = found->get<std::int64_t>();
    if (value < low || value > high) {
      wrong(name, fmt::format("is not within {}..{}", low, high));
      return otherwise;
    }
    return value;
  }

  void wrong(const char* name, std::string_view what) {
    if (problem_.empty()) problem_ = fmt::format("{} {}", name, what);
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  const json& object_;
  std::string problem_;
};

void read_metadata(const json& object, Fields& fields, balancer::Endpoint& endpoint) {
  const auto found = object.find("metadata");
  if (found == object.end()) {
    return;
  }
  if (!found->is_object() || found->size() > kMaxMetadata) {
    fields.wrong("metadata", "is not a small object");
    return;
  }
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string() || key.size() > kMaxName ||
        value.get_ref<const std::string&>().size() > kMaxName) {
      fields.wrong("metadata", "holds something besides short strings");
      return;
    }
    endpoint.metadata.emplace(key, value.get<std::string>());
  }
}

balancer::EndpointState read_state(Fields& fields) {
  const std::string state = fields.text("state", true);
  if (state == "unhealthy") return balancer::EndpointState::kUnhealthy;
  if (state == "draining") return balancer::EndpointState::kDraining;
  if (state != "up") fields.wrong("state", "is not up, unhealthy or draining");
  return balancer::EndpointState::kUp;
}

}  // namespace

Bytes encode_entry(const balancer::Endpoint& endpoint) {
  const json object{{"service", endpoint.service},
                    {"instance", endpoint.instance},
                    {"host", endpoint.host},
                    {"port", endpoint.port},
                    {"inbound_port", endpoint.inbound_port},
                    {"weight", endpoint.weight},
                    {"zone", endpoint.zone},
                    {"state", state_name(endpoint.state)},
                    {"metadata", endpoint.metadata}};
  const std::string text = object.dump(-1, ' ', false, json::error_handler_t::replace);
  const auto bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

Result<balancer::Endpoint> decode_entry(ByteView data, std::string_view service,
                                        std::string_view instance) {
  if (data.size() > kMaxEntryBytes) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("entry of {} bytes is over {}", data.size(), kMaxEntryBytes));
  }
  const json object = json::parse(data.begin(), data.end(), nullptr, false);
  if (!object.is_object()) {
    return fail(ErrorCode::kInvalid, "entry is not a JSON object");
  }
  Fields fields(object);
  balancer::Endpoint endpoint;
  endpoint.service = fields.text("service", true);
  endpoint.instance = fields.text("instance", true);
  endpoint.host = fields.text("host", true);
  endpoint.port = static_cast<std::uint16_t>(fields.number("port", 1, 65535, 0));
  endpoint.inbound_port = static_cast<std::uint16_t>(fields.number("inbound_port", 0, 65535, 0));
  endpoint.weight = static_cast<int>(fields.number("weight", 1, 1000, 100));
  endpoint.zone = fields.text("zone", false);
  endpoint.state = read_state(fields);
  read_metadata(object, fields, endpoint);
  if (endpoint.host.empty()) fields.wrong("host", "is empty");
  if (!visible_ascii(endpoint.host)) fields.wrong("host", "is not visible ASCII");
  if (!visible_ascii(endpoint.instance)) fields.wrong("instance", "is not visible ASCII");
  if (endpoint.service != service) fields.wrong("service", "is not the one in the path");
  if (endpoint.instance != instance) fields.wrong("instance", "is not the one in the path");
  if (!fields.problem().empty()) {
    return fail(ErrorCode::kInvalid, "entry: " + fields.problem());
  }
  return endpoint;
}

std::string service_path(std::string_view service) {
  return fmt::format("{}/{}", kServicesRoot, service);
}

std::string entry_path(std::string_view service, std::string_view instance) {
  return fmt::format("{}/{}/{}", kServicesRoot, service, instance);
}

std::string make_instance(std::string_view host, std::uint16_t port, std::uint32_t random) {
  std::string safe(host);
  for (char& c : safe) {
    if (c == ':' || c == '/') c = '-';
  }
  return fmt::format("{}-{}-{:08x}", safe, port, random);
}

}  // namespace ringside::discovery
