// From one version of the table to the next: what is kept, what is made anew.
#include <doctest/doctest.h>

#include "tests/unit/balancer/support.h"

namespace ringside::balancer {
namespace {

using namespace test;

Endpoint of(const std::string& service, const std::string& instance) {
  Endpoint made = endpoint(instance);
  made.service = service;
  return made;
}

TEST_CASE("TableFindsUpstreamsByName") {
  Rng rng(1);
  const auto table = build_table(nullptr, {of("orders", "a"), of("users", "b")}, {}, 77, rng);
  CHECK(table->version() == TableVersion{.zxid = 77, .generation = 1});
  REQUIRE(table->find("orders") != nullptr);
  CHECK(table->find("orders")->name() == "orders");
  CHECK(table->find("order") == nullptr);
  CHECK(table->find("") == nullptr);
  CHECK(table->names() == std::vector<std::string_view>{"orders", "users"});
}

TEST_CASE("UnchangedUpstreamStaysTheSameObject") {
  Rng rng(1);
  const auto first = build_table(nullptr, {of("orders", "a"), of("users", "b")}, {}, 1, rng);
  const auto second =
      build_table(first.get(), {of("users", "c"), of("users", "b"), of("orders", "a")}, {}, 2, rng);
  CHECK(second->version() == TableVersion{.zxid = 2, .generation = 2});
  CHECK(second->find("orders") == first->find("orders"));
  CHECK(second->find("users") != first->find("users"));
  CHECK(second->transitions() == first->transitions());
}

TEST_CASE("AnEarlierTableIsOlderHoweverFarItsRegistryWas") {
  const TableVersion of_the_old_ring{.zxid = 900, .generation = 3};
  const TableVersion of_the_new_ring{.zxid = 20, .generation = 4};
  CHECK(of_the_old_ring < of_the_new_ring);
  CHECK(TableVersion{.zxid = 20, .generation = 4} == of_the_new_ring);
  CHECK(TableVersion{.zxid = 30, .generation = 4} > of_the_new_ring);
}

TEST_CASE("OrderInWhichEndpointsComeDoesNotMatter") {
  Rng rng(1);
  const auto first = table_of({endpoint("a"), endpoint("b"), endpoint("c")}, {}, rng);
  const auto second = table_of({endpoint("c"), endpoint("a"), endpoint("b")}, {}, rng, first.get());
  CHECK(&orders(second) == &orders(first));
}

TEST_CASE("LimitsOfTheSettingsHoldAtOnceForHostsThatStay") {
  Rng rng(1);
  config::Settings settings;
  settings.defaults.limits = {.connections = 2, .pending = 0, .requests = 4};
  const auto first = table_of({endpoint("a")}, settings, rng);
  Host& a = host_named(orders(first), "a");
  CHECK(a.connections().limit() == 2);
  CHECK(orders(first).state()->pending.limit() == 0);
  CHECK(orders(first).state()->requests.limit() == 4);
  const Permit held = a.connections().try_take();
  settings.defaults.limits = {.connections = 1, .pending = 5, .requests = 6};
  const auto second = table_of({endpoint("a"), endpoint("b")}, settings, rng, first.get());
  CHECK(&host_named(orders(second), "a") == &a);
  CHECK(a.connections().limit() == 1);
  CHECK(a.connections().used() == 1);
  CHECK_FALSE(a.connections().try_take());
  CHECK(host_named(orders(second), "b").connections().limit() == 1);
  CHECK(orders(first).state()->pending.limit() == 5);
  CHECK(orders(first).state()->requests.limit() == 6);
}

TEST_CASE("HostsAndCursorOutliveAHostSetChange") {
  Rng rng(1);
  const auto first = table_of({endpoint("a"), endpoint("b")}, {}, rng);
  host_named(orders(first), "a").enter();
  open_breaker(orders(first), "a", at(0));
  const auto second =
      table_of({endpoint("a", 7, EndpointState::kUnhealthy), endpoint("b"), endpoint("c")}, {}, rng,
               first.get());
  CHECK(&orders(second) != &orders(first));
  CHECK(orders(second).state() == orders(first).state());
  CHECK(&host_named(orders(second), "a") == &host_named(orders(first), "a"));
  CHECK(&host_named(orders(second), "b") == &host_named(orders(first), "b"));
  CHECK(host_named(orders(second), "a").in_flight() == 1);
  const auto& breaker = orders(second).settings().circuit_breaker;
  CHECK(host_named(orders(second), "a").breaker_state(breaker) == BreakerState::kOpen);
  CHECK(host_named(orders(second), "c").breaker_state(breaker) == BreakerState::kClosed);
}

TEST_CASE("AnInstanceAtANewAddressIsANewHost") {
  Rng rng(1);
  const auto first = table_of({endpoint("a"), endpoint("b")}, {}, rng);
  Endpoint moved = endpoint("a");
  moved.port = 1;
  const auto second = table_of({moved, endpoint("b")}, {}, rng, first.get());
  CHECK(&host_named(orders(second), "a") != &host_named(orders(first), "a"));
}

TEST_CASE("SettingsChangeKeepsHostsAndBreakers") {
  Rng rng(1);
  const auto first = table_of({endpoint("a")}, {}, rng);
  open_breaker(orders(first), "a", at(0));
  config::Settings settings;
  settings.defaults.balance = config::Balance::kWeighted;
  const auto second = table_of({endpoint("a")}, settings, rng, first.get());
  CHECK(&orders(second) != &orders(first));
  CHECK(orders(second).settings().balance == config::Balance::kWeighted);
  CHECK(host_named(orders(second), "a").breaker_state(settings.defaults.circuit_breaker) ==
        BreakerState::kOpen);
}

TEST_CASE("ServiceThatIsGoneLeavesTheTableAndPickedHostsLiveOn") {
  Rng rng(1);
  View view;
  CHECK(view.pin().table() == nullptr);
  std::weak_ptr<const RoutingTable> old;
  {
    auto first = table_of({endpoint("a")}, {}, rng);
    old = first;
    view.update(first);
  }
  PickGuard guard;
  {
    const Pin pin = view.pin();
    const auto picked = pick(*pin.table()->find("orders"), {.now = at(0), .rng = rng});
    guard = PickGuard(*picked, pin);
  }
  view.update(build_table(view.table(), {}, {}, 2, rng));
  CHECK(view.table()->find("orders") == nullptr);
  CHECK_FALSE(old.expired());
  CHECK(guard.get().host->endpoint.instance == "a");
  guard.report(Outcome::kSuccess, milliseconds{1}, at(1));
  CHECK_FALSE(old.expired());  // what was tried may still be looked at
  guard = PickGuard();
  CHECK(old.expired());
}

TEST_CASE("FixedEndpointsAreAddedAndGiveWayToRegisteredOnes") {
  Rng rng(1);
  config::Settings settings;
  settings.upstreams["orders"].endpoints = {{"10.0.0.9", 80}, {"10.0.0.1", 8097}, {"::1", 80}};
  settings.upstreams["legacy"].endpoints = {{"10.0.0.7", 80}, {"10.0.0.7", 80}};
  settings.upstreams["nobody"] = {};
  const auto table = table_of({endpoint("a")}, settings, rng);  // 10.0.0.1:8097
  const auto& hosts = orders(table).hosts();
  REQUIRE(hosts.size() == 3);
  CHECK(hosts[0].endpoint.instance == "10.0.0.9:80");
  CHECK(hosts[0].endpoint.fixed);
  CHECK(hosts[0].endpoint.inbound_port == 0);
  CHECK(hosts[1].endpoint.instance == "[::1]:80");
  CHECK(hosts[1].endpoint.host == "::1");
  CHECK_FALSE(hosts[2].endpoint.fixed);
  CHECK(table->find("legacy")->hosts().size() == 1);
  CHECK(table->find("nobody")->hosts().empty());
  const PickContext context{.now = at(0), .rng = rng};
  CHECK(pick(*table->find("nobody"), context).error() == PickFailure::kNoEndpoints);
  CHECK(pick(*table->find("legacy"), context));
}

TEST_CASE("EndpointsFromOutsideAreMadeFit") {
  Rng rng(1);
  Endpoint loud = endpoint("a", -5);
  loud.service = "ORDERS";
  loud.fixed = true;
  const auto table = table_of({loud, endpoint("a", 3), endpoint("b", 100000)}, {}, rng);
  const auto hosts = orders(table).hosts();
  REQUIRE(hosts.size() == 2);
  CHECK(hosts[0].endpoint.weight == 1);
  CHECK(hosts[0].endpoint.service == "orders");
  CHECK_FALSE(hosts[0].endpoint.fixed);
  CHECK(hosts[1].endpoint.weight == 1000);
}

TEST_CASE("GuardReportsOnceAndReleasesOnce") {
  Rng rng(1);
  const auto table = table_of({endpoint("a")}, {}, rng);
  View view;
  view.update(table);
  Host& host = host_named(orders(table), "a");
  const auto& breaker = orders(table).settings().circuit_breaker;
  const auto take = [&](std::int64_t ms) {
    return PickGuard(*pick(orders(table), {.now = at(ms), .rng = rng}), view.pin());
  };
  {
    PickGuard guard = take(0);
    CHECK(host.in_flight() == 1);
    PickGuard moved = std::move(guard);
    moved.settle(Outcome::kSuccess, milliseconds{1}, at(0));
    CHECK(host.in_flight() == 1);  // the response may go on
    moved.settle(Outcome::kFailure, milliseconds{1}, at(0));
    moved.finish();
    CHECK(host.in_flight() == 0);
    CHECK_FALSE(moved.held());
  }
  CHECK(host.in_flight() == 0);

  open_breaker(orders(table), "a", at(0));
  {
    const PickGuard abandoned = take(5000);
  }
  CHECK(host.breaker_state(breaker) == BreakerState::kHalfOpen);
  PickGuard probe = take(5001);  // the abandoned one was given back
  CHECK(probe.get().probe());
  probe.report(Outcome::kSuccess, milliseconds{1}, at(5002));
  CHECK(host.breaker_state(breaker) == BreakerState::kClosed);
}

TEST_CASE("ALongCallHoldsItsHostAndNotItsTable") {
  Rng rng(1);
  View view;
  view.update(table_of({endpoint("a")}, {}, rng));
  PickGuard guard;
  {
    auto next = build_table(view.table(), {endpoint("a"), endpoint("b")}, {}, 2, rng);
    guard = PickGuard(*pick(*view.table()->find("orders"), {.now = at(0), .rng = rng}), view.pin());
    view.update(std::move(next));
  }
  const Host& host = host_named(*view.table()->find("orders"), "a");
  guard.let_table_go();  // it may still be judged, by the settings of its upstream
  REQUIRE(guard.get().host != nullptr);
  guard.settle(Outcome::kSuccess, milliseconds{1}, at(1));
  guard.let_table_go();
  CHECK(guard.get().host == nullptr);
  CHECK(guard.held());
  CHECK(host.in_flight() == 1);
  PickGuard moved = std::move(guard);
  moved.settle(Outcome::kFailure, milliseconds{1}, at(2));
  CHECK(host.in_flight() == 1);
  moved.finish();
  moved.finish();
  CHECK(host.in_flight() == 0);
}

TEST_CASE("ATableThatWasLetGoDies") {
  Rng rng(1);
  View view;
  std::weak_ptr<const RoutingTable> old;
  {
    auto first = table_of({endpoint("a")}, {}, rng);
    old = first;
    view.update(first);
  }
  PickGuard guard(*pick(*view.table()->find("orders"), {.now = at(0), .rng = rng}), view.pin());
  view.update(build_table(view.table(), {}, {}, 2, rng));
  CHECK_FALSE(old.expired());
  guard.settle(Outcome::kSuccess, milliseconds{1}, at(1));
  guard.let_table_go();
  CHECK(old.expired());
  guard.finish();  // its host lives until here
}

TEST_CASE("FirstSettleCountsAndNoOther") {
  Rng rng(1);
  config::Settings settings;
  settings.defaults.circuit_breaker.consecutive_failures = 1;
  const auto table = table_of({endpoint("a")}, settings, rng);
  Host& host = host_named(orders(table), "a");
  const auto& breaker = settings.defaults.circuit_breaker;
  {
    PickGuard guard(*pick(orders(table), {.now = at(0), .rng = rng}), Pin());
    guard.settle(Outcome::kSuccess, milliseconds{1}, at(0));
    guard.report(Outcome::kFailure, milliseconds{1}, at(0));
    guard.settle(Outcome::kFailure, milliseconds{1}, at(0));
  }
  CHECK(host.breaker_state(breaker) == BreakerState::kClosed);
  PickGuard guard(*pick(orders(table), {.now = at(0), .rng = rng}), Pin());
  guard.report(Outcome::kFailure, milliseconds{1}, at(0));
  CHECK(host.breaker_state(breaker) == BreakerState::kOpen);
  CHECK(host.in_flight() == 0);
}

TEST_CASE("TransitionsAreCountedAndLogged") {
  Rng rng(1);
  const auto table = table_of({endpoint("a"), endpoint("b")}, {}, rng);
  open_breaker(orders(table), "a", at(10));
  const std::vector<const Host*> b{&host_named(orders(table), "b")};
  const auto probe = pick(orders(table), {.now = at(5010), .rng = rng, .tried = b});
  REQUIRE(probe);
  report(*probe, Outcome::kSuccess, milliseconds{1}, at(5020));

  const auto opened = table->transitions()->pop();
  REQUIRE(opened);
  CHECK(opened->host->service == "orders");
  CHECK(opened->host->instance == "a");
  CHECK(opened->at == at(10));
  CHECK(opened->transition == Transition{.to = BreakerState::kOpen,
                                         .reason = BreakerReason::kConsecutiveFailures,
                                         .open_for = seconds{5}});
  CHECK(table->transitions()->pop()->transition.to == BreakerState::kHalfOpen);
  CHECK(table->transitions()->pop()->transition.reason == BreakerReason::kProbesGood);
  CHECK_FALSE(table->transitions()->pop());
  for (const auto to : {BreakerState::kClosed, BreakerState::kHalfOpen, BreakerState::kOpen}) {
    CHECK(orders(table).state()->transitions_to(to) == 1);
  }
}

TEST_CASE("FullTransitionLogDropsAndCounts") {
  TransitionLog log;
  const auto host = std::make_shared<const HostIdentity>();
  for (std::size_t i = 0; i < TransitionLog::kCapacity; ++i) {
    REQUIRE(log.push({.host = host, .transition = {}, .at = at(static_cast<std::int64_t>(i))}));
  }
  CHECK_FALSE(log.push({.host = host, .transition = {}, .at = at(0)}));
  CHECK(log.dropped() == 1);
  CHECK(log.pop()->at == at(0));
  CHECK(log.push({.host = host, .transition = {}, .at = at(9999)}));
  for (std::size_t i = 1; i < TransitionLog::kCapacity; ++i) {
    CHECK(log.pop()->at == at(static_cast<std::int64_t>(i)));
  }
  CHECK(log.pop()->at == at(9999));
  CHECK_FALSE(log.pop());
  CHECK(host.use_count() == 1);
}

}  // namespace
}  // namespace ringside::balancer
