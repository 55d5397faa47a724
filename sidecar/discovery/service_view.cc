#include "sidecar/discovery/service_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "sidecar/discovery/entry.h"

namespace ringside::discovery {

namespace {

using nlohmann::json;

constexpr int kViewFormat = 1;

struct EntryName {
  std::string service;
  std::string instance;
};

// The entry that a path belongs to: "/ringside/services/S/I" and what may stand below it. A
// service's own znode says nothing: each entry of it that comes or goes is a change of its own.
std::optional<EntryName> entry_of(std::string_view path) {
  if (!path.starts_with(kServicesRoot)) {
    return std::nullopt;
  }
  path.remove_prefix(kServicesRoot.size());
  const auto end = path.find('/', 1);
  if (!path.starts_with('/') || end == std::string_view::npos) {
    return std::nullopt;
  }
  const auto instance = path.substr(end + 1);
  return EntryName{std::string(path.substr(1, end - 1)),
                   std::string(instance.substr(0, instance.find('/')))};
}

}  // namespace

void ServiceView::note(std::span<const coord::Change> changes) {
  for (const auto& change : changes) {
    if (auto entry = entry_of(change.path)) {
      dirty_[std::move(entry->service)].insert(std::move(entry->instance));
    }
  }
}

ServiceView::Entry ServiceView::read_entry(const coord::Registry& registry,
                                           const std::string& service,
                                           const std::string& instance) const {
  const std::string path = entry_path(service, instance);
  const auto node = registry.get(path);
  if (!node) {
    return nullptr;
  }
  auto endpoint = decode_entry(as_bytes(node->data), service, instance);
  if (!endpoint) {
    log_(fmt::format("ignoring {}: {}", path, endpoint.error().message));
    return nullptr;
  }
  return std::make_shared<const balancer::Endpoint>(std::move(*endpoint));
}

void ServiceView::set(const std::string& service, balancer::EndpointList fresh) {
  const std::string name = balancer::upstream_name(service);
  if (fresh.empty()) {
    services_.erase(service);
    const auto spelled = spellings_.find(name);
    if (spelled != spellings_.end() && spelled->second.erase(service) > 0 &&
        spelled->second.empty()) {
      spellings_.erase(spelled);
    }
  } else {
    services_[service] = std::move(fresh);
    spellings_[name].insert(service);
  }
}

void ServiceView::refresh_entries(const coord::Registry& registry, const std::string& service,
                                  const std::set<std::string>& instances) {
  const auto found = services_.find(service);
  balancer::EndpointList old;
  if (found != services_.end()) {
    old = std::move(found->second);
  }
  balancer::EndpointList fresh;
  fresh.reserve(old.size() + instances.size());
  bool changed = false;
  auto next = old.begin();
  for (const auto& instance : instances) {  // in order, as the list is
    const auto at =
        std::ranges::lower_bound(next, old.end(), instance, {},
                                 [](const Entry& one) -> const auto& { return one->instance; });
    fresh.insert(fresh.end(), std::move_iterator(next), std::move_iterator(at));
    const bool there = at != old.end() && (*at)->instance == instance;
    auto entry = read_entry(registry, service, instance);
    const bool stays = there && entry && **at == *entry;
    changed = changed || (!stays && (there || entry));
    if (entry) {
      fresh.push_back(stays ? std::move(*at) : std::move(entry));
    }
    next = there ? std::next(at) : at;
  }
  fresh.insert(fresh.end(), std::move_iterator(next), std::move_iterator(old.end()));
  set(service, std::move(fresh));
  if (changed) {
    changed_.insert(balancer::upstream_name(service));
  }
}

void ServiceView::note_services(const coord::Registry& registry) {
  for (const auto& [service, endpoints] : services_) {
    unlisted_.insert(service);
  }
  const auto names = registry.children(kServicesRoot).value_or(std::vector<std::string>{});
  unlisted_.insert(names.begin(), names.end());
}

void ServiceView::note_entries(const coord::Registry& registry, const std::string& service) {
  std::set<std::string>& instances = dirty_[service];
  if (const auto found = services_.find(service); found != services_.end()) {
    for (const auto& endpoint : found->second) {
      instances.insert(instances.end(), endpoint->instance);
    }
  }
  const auto names = registry.children(service_path(service)).value_or(std::vector<std::string>{});
  instances.insert(names.begin(), names.end());
}

std::size_t ServiceView::refresh_some(const coord::Registry& registry, std::size_t most) {
  const auto of_service = dirty_.begin();
  auto& [service, instances] = *of_service;
  std::set<std::string> some;
  while (!instances.empty() && some.size() < most) {
    some.insert(some.end(), instances.extract(instances.begin()));
  }
  refresh_entries(registry, service, some);
  if (instances.empty()) {
    dirty_.erase(of_service);
  }
  return some.size();
}

bool ServiceView::refresh(const coord::Registry& registry, std::size_t most) {
  merged_.clear();
  if (std::exchange(all_dirty_, false)) {
    note_services(registry);
  }
  while (most > 0 && dirty()) {
    if (dirty_.empty()) {
      note_entries(registry, *unlisted_.begin());
      unlisted_.erase(unlisted_.begin());
      --most;  // a service without entries costs something, too
    } else {
      most -= refresh_some(registry, most);
    }
  }
  return !dirty();
}

balancer::EndpointList ServiceView::merged(const std::set<std::string>& spellings) const {
  balancer::EndpointList all;
  for (const auto& service : spellings) {
    const auto& endpoints = services_.at(service);
    all.insert(all.end(), endpoints.begin(), endpoints.end());
  }
  balancer::order_by_instance(all);
  return all;
}

balancer::ServiceLists ServiceView::lists() const {
  balancer::ServiceLists lists;
  for (const auto& [name, spellings] : spellings_) {
    lists[name] = merged(spellings);
  }
  return lists;
}

std::vector<balancer::ServiceChange> ServiceView::take_changes() {
  std::vector<balancer::ServiceChange> changes;
  for (const auto& name : changed_) {
    const auto spelled = spellings_.find(name);
    if (spelled == spellings_.end()) {
      changes.push_back({name, nullptr});
    } else if (spelled->second.size() == 1) {
      changes.push_back({name, &services_.at(*spelled->second.begin())});
    } else {
      changes.push_back({name, &(merged_[name] = merged(spelled->second))});
    }
  }
  changed_.clear();
  return changes;
}

Bytes ServiceView::save(const std::string& ring_name, coord::BirthId birth,
                        coord::Zxid zxid) const {
  return encode_view(services_, ring_name, birth, zxid);
}

Bytes encode_view(const ServiceView::Services& services, const std::string& ring_name,
                  coord::BirthId birth, coord::Zxid zxid) {
  json lists = json::object();
  for (const auto& [service, endpoints] : services) {
    json list = json::array();
    for (const auto& endpoint : endpoints) {
      list.push_back(json::parse(as_text(encode_entry(*endpoint))));
    }
    lists[service] = std::move(list);
  }
  const json view{{"format", kViewFormat},
                  {"ring", ring_name},
                  {"birth_id", fmt::format("{:016x}", birth.value)},
                  {"zxid", zxid.to_string()},
                  {"services", std::move(lists)}};
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
      services[service].push_back(std::make_shared<const balancer::Endpoint>(std::move(*endpoint)));
    }
  }
  for (const auto& [service, endpoints] : services_) {
    changed_.insert(balancer::upstream_name(service));
  }
  services_.clear();
  spellings_.clear();
  for (auto& [service, endpoints] : services) {
    balancer::order_by_instance(endpoints);
    changed_.insert(balancer::upstream_name(service));
    set(service, std::move(endpoints));
  }
  return {};
}

}  // namespace ringside::discovery
