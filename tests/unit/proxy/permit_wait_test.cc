// A call's wait for a permit, and idle connections that change hands instead of lying idle.
#include "sidecar/proxy/permit_wait.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <memory>
#include <utility>
#include <vector>

#include "balancer/routing_table.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/socket.h"
#include "sidecar/proxy/context.h"

namespace ringside::proxy {

namespace {

struct User final : PermitUser {
  void on_permit(balancer::Permit given, std::unique_ptr<UpstreamConnection> with) override {
    ++told;
    permit = std::move(given);
    connection = std::move(with);
  }
  int told = 0;
  balancer::Permit permit;
  std::unique_ptr<UpstreamConnection> connection;
};

// One worker as far as waits and pools go.
struct Worker {
  metrics::WorkerMetrics metrics{"worker"};
  AccessQueue access;
  net::Loop loop;
  WorkerContext context{
      loop, std::make_shared<const config::Settings>(), "self", Bounds{}, 1, metrics, access};
  metrics::UpstreamStats& stats = metrics.upstream("shop");

  void turn() {
    loop.turn(false);
    context.pools.bury();
  }
};

struct Bench {
  std::shared_ptr<const balancer::RoutingTable> table;
  balancer::View view;
  Worker here;
  Worker there;
  std::vector<net::Socket> far_ends;

  explicit Bench(config::Limits limits) {
    balancer::Endpoint endpoint;
    endpoint.service = "shop";
    endpoint.instance = "one";
    endpoint.host = "10.0.0.5";
    endpoint.port = 80;
    config::Settings settings;
    settings.defaults.limits = limits;
    Rng rng(1);
    table = balancer::build_table(nullptr, {endpoint}, settings, 1, rng);
    view.update(table);
  }

  [[nodiscard]] const balancer::Upstream& shop() const { return *table->find("shop"); }
  [[nodiscard]] const balancer::HostEntry& entry() const { return shop().hosts()[0]; }
  [[nodiscard]] balancer::PermitGate& gate() const { return entry().host->connections(); }
  HostPool& pool() { return here.context.pools.of(entry()); }

  // A connection in use by somebody in `here`.
  std::unique_ptr<UpstreamConnection> connection() {
    struct Silent final : net::StreamHandler {
      void on_read(std::span<const char>) override {}
      void on_eof() override {}
      void on_broken(const Error&) override {}
    };
    static Silent silent;
    int ends[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    far_ends.emplace_back(ends[1]);
    auto made = pool().adopt(net::TcpStream::adopt(here.loop, net::Socket(ends[0]), silent));
    made->hold(gate().try_take());
    return made;
  }

  PermitWait::Begun wait_for_connection(PermitWait& wait, Worker& worker) {
    balancer::Permit taken;
    return wait.begin(gate(), shop(), view.pin(), worker.stats, taken);
  }
};

}  // namespace

TEST_CASE("AWaitTakesAPlaceAndGivesItBack") {
  Bench bench({.connections = 1, .pending = 1, .requests = 1});
  balancer::Permit held = bench.shop().state()->requests.try_take();
  auto& requests = bench.shop().state()->requests;
  User user;
  PermitWait wait(bench.here.context, user);
  PermitWait other(bench.there.context, user);
  balancer::Permit taken;
  auto& stats = bench.here.stats;
  CHECK(wait.begin(requests, bench.shop(), bench.view.pin(), stats, taken) ==
        PermitWait::Begun::kWaiting);
  CHECK(stats.pending.value() == 1);
  CHECK(other.begin(requests, bench.shop(), bench.view.pin(), bench.there.stats, taken) ==
        PermitWait::Begun::kPendingFull);
  CHECK_FALSE(other.waiting());
  wait.give_up();
  wait.give_up();
  CHECK(stats.pending.value() == 0);
  CHECK(bench.shop().state()->pending.used() == 0);
  held.release();
  CHECK(other.begin(requests, bench.shop(), bench.view.pin(), bench.there.stats, taken) ==
        PermitWait::Begun::kTaken);
  CHECK(taken);
  CHECK(bench.shop().state()->pending.used() == 0);
  CHECK(user.told == 0);
}

TEST_CASE("ThePermitComesByTheLoopOfTheWorkerThatWaits") {
  Bench bench({.connections = 1, .pending = 5, .requests = 1});
  auto& requests = bench.shop().state()->requests;
  balancer::Permit held = requests.try_take();
  User user;
  PermitWait wait(bench.there.context, user);
  balancer::Permit taken;
  REQUIRE(wait.begin(requests, bench.shop(), bench.view.pin(), bench.there.stats, taken) ==
          PermitWait::Begun::kWaiting);
  held.release();
  CHECK(user.told == 0);
  bench.here.turn();
  CHECK(user.told == 0);
  bench.there.turn();
  CHECK(user.told == 1);
  CHECK(user.permit);
  CHECK(user.connection == nullptr);
  CHECK(bench.there.stats.pending.value() == 0);
  CHECK(bench.shop().state()->pending.used() == 0);
}

TEST_CASE("AConnectionThatComesFreeGoesToAWaiterOfItsWorker") {
  Bench bench({.connections = 1, .pending = 5, .requests = 9});
  auto connection = bench.connection();
  UpstreamConnection* which = connection.get();
  User user;
  PermitWait wait(bench.here.context, user);
  REQUIRE(bench.wait_for_connection(wait, bench.here) == PermitWait::Begun::kWaiting);
  bench.pool().give(std::move(connection));
  CHECK(bench.pool().idle() == 0);
  bench.here.context.permits.collect();
  CHECK(user.connection.get() == which);
  CHECK(user.connection->open());
  CHECK(user.permit);
  CHECK(bench.gate().used() == 1);
  bench.pool().discard(std::move(user.connection));
  user.permit.release();
  CHECK(bench.gate().used() == 0);
}

TEST_CASE("StrayBytesOnAConnectionThatChangesHandsCloseIt") {
  Bench bench({.connections = 1, .pending = 5, .requests = 9});
  auto connection = bench.connection();
  User user;
  PermitWait wait(bench.here.context, user);
  REQUIRE(bench.wait_for_connection(wait, bench.here) == PermitWait::Begun::kWaiting);
  bench.pool().give(std::move(connection));
  REQUIRE(::send(bench.far_ends[0].fd(), "x", 1, MSG_NOSIGNAL) == 1);
  bench.here.turn();
  bench.here.context.permits.collect();
  REQUIRE(user.told == 1);
  CHECK_FALSE(user.connection->open());
  CHECK(user.permit);  // good for a connection of its own
  CHECK(bench.gate().used() == 1);
  bench.pool().discard(std::move(user.connection));
}

TEST_CASE("AConnectionIsClosedForAWaiterOfAnotherWorker") {
  Bench bench({.connections = 1, .pending = 5, .requests = 9});
  auto connection = bench.connection();
  User first;
  User second;
  PermitWait there(bench.there.context, first);
  PermitWait here(bench.here.context, second);
  REQUIRE(bench.wait_for_connection(there, bench.there) == PermitWait::Begun::kWaiting);
  REQUIRE(bench.wait_for_connection(here, bench.here) == PermitWait::Begun::kWaiting);
  bench.pool().give(std::move(connection));
  char byte = 0;
  CHECK(::recv(bench.far_ends[0].fd(), &byte, 1, MSG_DONTWAIT) == 0);  // closed by now
  bench.there.turn();
  CHECK(first.permit);
  CHECK(first.connection == nullptr);
  CHECK(second.told == 0);
}

TEST_CASE("WhoGivesUpWithAConnectionAtHandClosesItForTheNext") {
  Bench bench({.connections = 1, .pending = 5, .requests = 9});
  auto connection = bench.connection();
  User first;
  User second;
  PermitWait here(bench.here.context, first);
  PermitWait there(bench.there.context, second);
  REQUIRE(bench.wait_for_connection(here, bench.here) == PermitWait::Begun::kWaiting);
  REQUIRE(bench.wait_for_connection(there, bench.there) == PermitWait::Begun::kWaiting);
  bench.pool().give(std::move(connection));
  here.give_up();
  char byte = 0;
  CHECK(::recv(bench.far_ends[0].fd(), &byte, 1, MSG_DONTWAIT) == 0);
  bench.there.turn();
  CHECK(second.permit);
  bench.here.turn();
  CHECK(first.told == 0);
  CHECK(bench.gate().used() == 1);
}

TEST_CASE("WhatIsOverALoweredLimitIsClosedWhenItComesBack") {
  Bench bench({.connections = 2, .pending = 5, .requests = 9});
  auto one = bench.connection();
  auto two = bench.connection();
  bench.gate().set_limit(1);
  bench.pool().give(std::move(one));
  CHECK(bench.pool().idle() == 0);
  bench.pool().give(std::move(two));
  CHECK(bench.pool().idle() == 1);
  CHECK(bench.gate().used() == 1);
  CHECK(bench.here.context.pools.make_room(*bench.entry().host));
  CHECK_FALSE(bench.here.context.pools.make_room(*bench.entry().host));
  CHECK(bench.gate().used() == 0);
}

TEST_CASE("AsManyIdleConnectionsGoAsALoweredLimitNeedsForOneWhoWaits") {
  Bench bench({.connections = 4, .pending = 5, .requests = 9});
  std::vector<std::unique_ptr<UpstreamConnection>> used;
  for (int i = 0; i < 4; ++i) used.push_back(bench.connection());
  for (auto& connection : used) bench.pool().give(std::move(connection));
  REQUIRE(bench.pool().idle() == 4);
  bench.gate().set_limit(2);
  User user;
  PermitWait wait(bench.there.context, user);
  REQUIRE(bench.wait_for_connection(wait, bench.there) == PermitWait::Begun::kWaiting);
  CHECK(bench.here.context.pools.make_room(*bench.entry().host));
  bench.there.turn();
  CHECK(user.permit);
  CHECK(bench.gate().used() == 2);
  CHECK(bench.pool().idle() == 1);
}

TEST_CASE("WhoHasTooFewIdleConnectionsForALoweredLimitSaysSo") {
  Bench bench({.connections = 3, .pending = 5, .requests = 9});
  auto one = bench.connection();
  auto two = bench.connection();
  bench.pool().give(bench.connection());
  bench.gate().set_limit(1);
  CHECK_FALSE(bench.here.context.pools.make_room(*bench.entry().host));
  CHECK(bench.gate().used() == 2);
  bench.pool().discard(std::move(one));
  bench.pool().discard(std::move(two));
}

}  // namespace ringside::proxy
