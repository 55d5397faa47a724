#include "sidecar/discovery/service_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "sidecar/discovery/entry.h"

namespace ringside::discovery {

namespace {

using nlohmann::json;

constexpr int kViewFormat = 1;

// The service that a path belongs to: "/ringside/services/S" and everything below it.
std::optional<std::string> service_of(std::string_view path) {
  if (!path.starts_with(kServicesRoot) || path.size() <= kServicesRoot.size() + 1 ||
      path[kServicesRoot.size()] != '/') {
    return std::nullopt;
  }
  const auto rest = path.substr(kServicesRoot.size() + 1);
  return std::string(rest.substr(0, rest.find('/')));
}

bool same(const balancer::Endpoint& a, const balancer::Endpoint& b) {
  return encode_entry(a) == encode_entry(b);
}

bool same(const std::vector<balancer::Endpoint>& a, const std::vector<balancer::Endpoint>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return same(x, y); });
}

}  // namespace

void ServiceView::note(std::span<const coord::Change> changes) {
  for (const auto& change : changes) {
    if (auto service = service_of(change.path)) {
      dirty_.insert(std::move(*service));
    }
  }
}

std::vector<balancer::Endpoint> ServiceView::read_service(const coord::Registry& registry,
                                                          const std::string& service) {
  std::vector<balancer::Endpoint> endpoints;
  const auto names = registry.children(service_path(service));
  for (const auto& name : names.value_or(std::vector<std::string>{})) {
    const auto node = registry.get(entry_path(service, name));
    if (!node) {
      continue;
    }
    auto endpoint = decode_entry(as_bytes(node->data), service, name);
    if (endpoint) {
      endpoints.push_back(std::move(*endpoint));
    } else {
      log_(fmt::format("ignoring {}: {}", entry_path(service, name), endpoint.error().message));
    }
  }
  return endpoints;
}

bool ServiceView::refresh(const coord::Registry& registry) {
  if (all_dirty_) {
    for (const auto& [service, endpoints] : services_) {
      dirty_.insert(service);
    }
    const auto names = registry.children(kServicesRoot);
    for (const auto& name : names.value_or(std::vector<std::string>{})) {
      dirty_.insert(name);
    }
    all_dirty_ = false;
  }
  bool changed = false;
  for (const auto& service : dirty_) {
    auto fresh = read_service(registry, service);
    const auto found = services_.find(service);
    if (found != services_.end() && same(found->second, fresh)) {
      continue;
    }
    if (found == services_.end() && fresh.empty()) {
      continue;
    }
    changed = true;
    if (fresh.empty()) {
      services_.erase(found);
    } else {
      services_[service] = std::move(fresh);
    }
  }
  dirty_.clear();
  return changed;
}

std::vector<balancer::Endpoint> ServiceView::endpoints() const {
  std::vector<balancer::Endpoint> all;
  for (const auto& [service, endpoints] : services_) {
    all.insert(all.end(), endpoints.begin(), endpoints.end());
  }
  return all;
}

Bytes ServiceView::save(const std::string& ring_name, coord::BirthId birth,
                        coord::Zxid zxid) const {
  json services = json::object();
  for (const auto& [service, endpoints] : services_) {
    json list = json::array();
    for (const auto& endpoint : endpoints) {
      list.push_back(json::parse(as_text(encode_entry(endpoint))));
    }
    services[service] = std::move(list);
  }
  const json view{{"format", kViewFormat},
                  {"ring", ring_name},
                  {"birth_id", fmt::format("{:016x}", birth.value)},
                  {"zxid", zxid.to_string()},
                  {"services", std::move(services)}};
  const std::string text = view.dump(1);
  const auto bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

Status ServiceView::load(ByteView bytes, const std::string& ring_name, coord::BirthId birth) {
  const json view = json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (!view.is_object() || !view.contains("services") || !view["services"].is_object() ||
      view.value("format", json(0)) != json(kViewFormat)) {
    return fail(ErrorCode::kCorrupt, "the view on disk is not one that this version reads");
  }
  if (view.value("ring", json("")) != json(ring_name)) {
    return fail(ErrorCode::kRefused, "the view on disk is of another ring");
  }
  const std::string none = fmt::format("{:016x}", 0);
  const std::string ours = fmt::format("{:016x}", birth.value);
  const json saved = view.value("birth_id", json(none));
  if (birth && saved != json(none) && saved != json(ours)) {
    return fail(ErrorCode::kRefused, "the view on disk is of a ring of another birth");
  }
  Services services;
  for (const auto& [service, list] : view["services"].items()) {
    for (const auto& item : list) {
      const std::string text = item.dump(-1, ' ', false, json::error_handler_t::replace);
      const json name = item.is_object() ? item.value("instance", json("")) : json("");
      auto endpoint =
          decode_entry(as_bytes(text), service, name.is_string() ? name.get<std::string>() : "");
      if (!endpoint) {
        return fail(ErrorCode::kCorrupt, "the view on disk: " + endpoint.error().message);
      }
      services[service].push_back(std::move(*endpoint));
    }
  }
  services_ = std::move(services);
  return {};
}

}  // namespace ringside::discovery
