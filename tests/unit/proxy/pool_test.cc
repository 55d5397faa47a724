#include "sidecar/proxy/pool.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <memory>
#include <utility>
#include <vector>

#include "balancer/routing_table.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/socket.h"
#include "sidecar/proxy/gather.h"

namespace ringside::proxy {

namespace {

constexpr Instant kNow{seconds{1000}};

// Streams of which the test holds the other end.
struct Bench {
  net::Loop loop;
  balancer::PermitInbox permits{[] {}};
  Pools pools{http::Limits{}, permits};
  std::shared_ptr<const balancer::RoutingTable> table;
  std::vector<net::Socket> far_ends;

  struct Silent final : net::StreamHandler {
    void on_read(std::span<const char>) override {}
    void on_eof() override {}
    void on_broken(const Error&) override {}
  } silent;

  const balancer::HostEntry& host(std::uint16_t inbound_port) {
    balancer::Endpoint endpoint;
    endpoint.service = "shop";
    endpoint.instance = "one";
    endpoint.host = "10.0.0.5";
    endpoint.port = 80;
    endpoint.inbound_port = inbound_port;
    Rng rng(1);
    table = balancer::build_table(table.get(), {endpoint}, config::Settings{}, 1, rng);
    return table->find("shop")->hosts()[0];
  }

  std::unique_ptr<net::TcpStream> stream() {
    int ends[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    far_ends.emplace_back(ends[1]);
    return std::move(net::TcpStream::adopt(loop, net::Socket(ends[0]), silent).value());
  }

  void turn() {
    loop.turn(false);
    pools.bury();
  }
};

}  // namespace

TEST_CASE("TheConnectionUsedLastComesFirstUnlessItIsTooOld") {
  Bench bench;
  HostPool& pool = bench.pools.of(bench.host(0));
  CHECK_FALSE(pool.sidecar());
  CHECK(pool.address() == config::Address{"10.0.0.5", 80});
  const PoolLease lease(pool);
  auto first = pool.adopt(bench.stream());
  auto second = pool.adopt(bench.stream());
  UpstreamConnection* last = second.get();
  pool.give(std::move(first), kNow);
  pool.give(std::move(second), kNow + seconds{1});
  CHECK(pool.take(kNow + seconds{2}, milliseconds{999}, false) == nullptr);
  auto taken = pool.take(kNow + seconds{2}, seconds{1}, false);
  CHECK(taken.get() == last);
  CHECK(pool.idle() == 1);
  pool.discard(std::move(taken));
}

TEST_CASE("AnEndOrStrayBytesTakeAConnectionOut") {
  Bench bench;
  HostPool& pool = bench.pools.of(bench.host(0));
  pool.give(pool.adopt(bench.stream()), kNow);
  pool.give(pool.adopt(bench.stream()), kNow);
  bench.far_ends[0].reset();
  REQUIRE(::send(bench.far_ends[1].fd(), "x", 1, MSG_NOSIGNAL) == 1);
  bench.turn();
  CHECK(pool.idle() == 0);
}

TEST_CASE("VerifyingSeesAnEndThatWasNotDeliveredYet") {
  Bench bench;
  HostPool& pool = bench.pools.of(bench.host(0));
  pool.give(pool.adopt(bench.stream()), kNow);
  pool.give(pool.adopt(bench.stream()), kNow);
  bench.far_ends[1].reset();  // the one that would come first
  auto taken = pool.take(kNow, seconds{1}, true);
  REQUIRE(taken != nullptr);
  CHECK(pool.idle() == 0);
  pool.discard(std::move(taken));
}

TEST_CASE("AnInboundPortThatChangesBeginsAnew") {
  Bench bench;
  HostPool& direct = bench.pools.of(bench.host(0));
  direct.give(direct.adopt(bench.stream()), kNow);
  HostPool& through = bench.pools.of(bench.host(4143));
  CHECK(through.sidecar());
  CHECK(through.address().port == 4143);
  CHECK(through.idle() == 0);
  CHECK(&bench.pools.of(bench.host(4143)) == &through);
}

TEST_CASE("ASweepClosesOldConnectionsAndForgetsUnusedEndpoints") {
  Bench bench;
  {
    HostPool& pool = bench.pools.of(bench.host(0));
    const PoolLease lease(pool);
    pool.give(pool.adopt(bench.stream()), kNow);
    bench.pools.sweep(kNow + HostPool::kMaxIdleTime);
    CHECK(pool.idle() == 1);
    bench.pools.sweep(kNow + HostPool::kMaxIdleTime + seconds{1});
    CHECK(pool.idle() == 0);
    CHECK_FALSE(bench.pools.empty());  // leased
  }
  bench.pools.sweep(kNow);
  CHECK(bench.pools.empty());
}

TEST_CASE("IdleConnectionsAreBounded") {
  Bench bench;
  HostPool& pool = bench.pools.of(bench.host(0));
  for (std::size_t i = 0; i < HostPool::kMaxIdle + 3; ++i) {
    pool.give(pool.adopt(bench.stream()), kNow);
  }
  CHECK(pool.idle() == HostPool::kMaxIdle);
}

TEST_CASE("GatheredPiecesLeaveInOrderHoweverManyAndLarge") {
  Bench bench;
  auto stream = bench.stream();
  Gather gather;
  CHECK(gather.empty());
  std::string expected;
  std::vector<std::string> bodies;
  for (int i = 0; i < 40; ++i) {
    bodies.emplace_back(static_cast<std::size_t>(i % 2 == 0 ? 3000 : 10),
                        static_cast<char>('a' + i % 26));
  }
  for (const auto& body : bodies) {
    gather.text().append("<head>");
    gather.body(body);
    expected += "<head>" + body;
  }
  CHECK(gather.size() == expected.size());
  REQUIRE(gather.flush(*stream) == net::WriteResult::kDone);
  CHECK(gather.empty());
  std::string got(expected.size(), '\0');
  REQUIRE(::recv(bench.far_ends[0].fd(), got.data(), got.size(), MSG_WAITALL) ==
          static_cast<ssize_t>(got.size()));
  CHECK(got == expected);
}

}  // namespace ringside::proxy
