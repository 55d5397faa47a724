// A snapshot with something in every field.
#pragma once

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "sidecar/admin/published.h"

namespace ringside::admin::test {

using nlohmann::json;

inline balancer::Endpoint endpoint(const std::string& service, const std::string& instance,
                                   const std::string& host, balancer::EndpointState state) {
  balancer::Endpoint made;
  made.service = service;
  made.instance = instance;
  made.host = host;
  made.port = 8080;
  made.inbound_port = 4143;
  made.weight = 7;
  made.zone = "eu-1a";
  made.state = state;
  made.metadata = {{"version", "v2"}};
  return made;
}

inline std::shared_ptr<const balancer::RoutingTable> table(
    std::vector<balancer::Endpoint> endpoints) {
  Rng rng(1);
  return balancer::build_table(nullptr, std::move(endpoints), config::Settings{}, 5, rng);
}

inline Snapshot made_up() {
  using balancer::EndpointState;
  Snapshot snapshot;
  snapshot.name = "10.0.0.5-8080-00000001";
  snapshot.service = "orders";
  snapshot.version = "0.1.0";
  snapshot.started = Instant{seconds{100}};
  snapshot.made = Instant{seconds{160}};
  snapshot.ready = true;
  snapshot.registration = {true, "orders", "10.0.0.5-8080-00000001", "registered", "up", ""};
  snapshot.ring.name = "default";
  snapshot.ring.status.self = coord::MemberId{1};
  snapshot.ring.status.birth = coord::BirthId{0xabc};
  snapshot.ring.status.role = coord::Role::kLeading;
  snapshot.ring.status.leader = coord::MemberId{1};
  snapshot.ring.status.epoch = coord::Epoch{3};
  snapshot.ring.status.applied = coord::Zxid(coord::Epoch{3}, 17);
  snapshot.ring.status.quorum = true;
  snapshot.ring.status.sessions = 4;
  snapshot.ring.status.znodes = 9;
  snapshot.ring.status.members = {
      {coord::MemberId{1}, true, true, coord::Role::kLeading, coord::Zxid(coord::Epoch{3}, 17),
       coord::Zxid(coord::Epoch{3}, 16)},
      {coord::MemberId{2}, true, false, coord::Role::kFollowing, coord::Zxid(coord::Epoch{3}, 16)}};
  snapshot.ring.addresses = {{coord::MemberId{1}, "10.0.0.5:4150"}};
  snapshot.ring.routed_zxid = 0x30000000010;
  snapshot.ring.view_age_seconds = 0.5;
  snapshot.table = table({endpoint("orders", "i1", "10.0.0.5", EndpointState::kUp),
                          endpoint("orders", "i2", "10.0.0.6", EndpointState::kDraining),
                          endpoint("users", "u1", "10.0.0.7", EndpointState::kUnhealthy)});
  return snapshot;
}

inline json parsed(const std::string& text) {
  json value = json::parse(text, nullptr, false);
  REQUIRE_FALSE(value.is_discarded());
  return value;
}

inline std::vector<std::string> keys(const json& object) {
  std::vector<std::string> names;
  for (const auto& [key, value] : object.items()) {
    names.push_back(key);
  }
  return names;
}

}  // namespace ringside::admin::test
