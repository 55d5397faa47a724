// A table made from the one before by what changed: what is shared, and that it is the table that
// would be built at once.
#include <doctest/doctest.h>

#include "tests/unit/balancer/support.h"

namespace ringside::balancer {
namespace {

using namespace test;
using Table = std::shared_ptr<const RoutingTable>;

EndpointList list_of(const std::string& service, const std::vector<std::string>& instances) {
  EndpointList list;
  for (const std::string& instance : instances) {
    Endpoint made = endpoint(instance);
    made.service = service;
    list.push_back(std::make_shared<const Endpoint>(std::move(made)));
  }
  return list;
}

Table change(const Table& before, const std::string& name, const EndpointList& list,
             const config::Settings& settings = {}) {
  Rng rng(1);
  const ServiceChange one{name, &list};
  return change_table(*before, std::span(&one, 1), settings, 2, rng);
}

Table build(const ServiceLists& lists, const config::Settings& settings = {}) {
  Rng rng(1);
  return build_from_lists(nullptr, lists, settings, 1, rng);
}

// What a caller or an operator can see of it, live state apart.
void check_same(const RoutingTable& one, const RoutingTable& other) {
  REQUIRE(one.names() == other.names());
  for (const auto name : one.names()) {
    const Upstream& a = *one.find(name);
    const Upstream& b = *other.find(name);
    CHECK(a.name() == name);
    CHECK(a.settings() == b.settings());
    CHECK(std::ranges::equal(a.hosts(), b.hosts(), [](const auto& x, const auto& y) {
      return x.endpoint == y.endpoint;
    }));
    CHECK(std::ranges::equal(a.schedule(), b.schedule()));
    CHECK(std::ranges::equal(a.candidates(), b.candidates(), [](const auto& x, const auto& y) {
      return x.weight == y.weight && x.entry->endpoint == y.entry->endpoint;
    }));
    for (const HostEntry& entry : a.hosts()) {
      CHECK(entry.host->connections().limit() == b.hosts()[0].host->connections().limit());
    }
  }
}

TEST_CASE("WhatDidNotChangeIsSharedWithTheTableBefore") {
  const EndpointList orders_before = list_of("orders", {"a", "b", "d"});
  const Table first = build({{"orders", orders_before}, {"users", list_of("users", {"u"})}});
  EndpointList now = orders_before;
  now.insert(now.begin() + 2, list_of("orders", {"c"}).front());
  now.erase(now.begin());
  const Table second = change(first, "orders", now);
  CHECK(second->version() == TableVersion{.zxid = 2, .generation = 2});
  CHECK(second->find("users") == first->find("users"));
  CHECK(second->shared_names() == first->shared_names());
  CHECK(second->transitions() == first->transitions());
  const Upstream& before = orders(first);
  const Upstream& after = orders(second);
  CHECK(after.state() == before.state());
  REQUIRE(after.hosts().size() == 3);
  CHECK(after.entries()[0] == before.entries()[1]);
  CHECK(after.entries()[2] == before.entries()[2]);
  CHECK(after.hosts()[1].endpoint.instance == "c");
  CHECK(change(second, "orders", now)->find("orders") == &after);
}

TEST_CASE("ServicesComeAndGoWithTheirEndpoints") {
  config::Settings settings;
  settings.upstreams["fixed"].endpoints = {{"10.0.0.1", 8097}};  // that of `a`
  const Table first = build({{"orders", list_of("orders", {"a"})}}, settings);
  CHECK(first->names() == std::vector<std::string_view>{"fixed", "orders"});
  const Table more = change(first, "admin", list_of("admin", {"x"}), settings);
  CHECK(more->names() == std::vector<std::string_view>{"admin", "fixed", "orders"});
  CHECK(more->find("orders") == first->find("orders"));
  CHECK(more->find("admin")->hosts().size() == 1);
  const Table less = change(more, "orders", {}, settings);
  CHECK(less->find("orders") == nullptr);
  CHECK(less->find("nobody") == nullptr);
  const Table registered = change(less, "fixed", list_of("fixed", {"a"}), settings);
  REQUIRE(registered->find("fixed")->hosts().size() == 1);
  CHECK_FALSE(registered->find("fixed")->hosts()[0].endpoint.fixed);
  const Table alone = change(registered, "fixed", {}, settings);
  REQUIRE(alone->find("fixed")->hosts().size() == 1);
  CHECK(alone->find("fixed")->hosts()[0].endpoint.fixed);
}

TEST_CASE("AnEndpointThatChangedKeepsItsHost") {
  const EndpointList before = list_of("orders", {"a", "b"});
  const Table first = build({{"orders", before}});
  host_named(orders(first), "a").enter();
  Endpoint heavier = *before.front();
  heavier.weight = 7;
  const Table second =
      change(first, "orders", {std::make_shared<const Endpoint>(heavier), before.back()});
  CHECK(&host_named(orders(second), "a") == &host_named(orders(first), "a"));
  CHECK(orders(second).hosts()[0].endpoint.weight == 7);
  CHECK(orders(first).hosts()[0].endpoint.weight == 100);
  CHECK(host_named(orders(second), "a").in_flight() == 1);
}

TEST_CASE("ATableChangedStepByStepIsTheOneBuiltAtOnce") {
  Rng rng(42);
  config::Settings settings;
  settings.defaults.balance = config::Balance::kWeighted;
  settings.defaults.limits.connections = 9;
  settings.upstreams["s1"] = settings.defaults;
  settings.upstreams["s1"].endpoints = {{"10.0.0.1", 8000 + 'e'}, {"10.0.0.2", 80}};
  ServiceLists lists;
  Table table = build(lists, settings);
  for (int step = 0; step < 2000; ++step) {
    const std::string name = "s" + std::to_string(rng.below(4));
    EndpointList& list = lists[name];
    for (std::uint64_t n = rng.below(4); n > 0; --n) {
      const std::string instance(1, static_cast<char>('a' + rng.below(8)));
      std::erase_if(list, [&](const auto& one) { return one->instance == instance; });
      if (rng.chance(0.6)) {
        Endpoint made = endpoint(instance, static_cast<int>(rng.below(3)) + 1,
                                 static_cast<EndpointState>(rng.below(3)));
        made.service = name;
        list.push_back(std::make_shared<const Endpoint>(std::move(made)));
      }
    }
    order_by_instance(list);
    table = change(table, name, list, settings);
    if (list.empty()) lists.erase(name);
    check_same(*table, *build(lists, settings));
  }
}

}  // namespace
}  // namespace ringside::balancer
