#include "sidecar/proxy/pool.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "balancer/routing_table.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/socket.h"
#include "sidecar/proxy/gather.h"
#include "sidecar/proxy/strangers.h"

namespace ringside::proxy {

namespace {

constexpr Instant kNow{seconds{1000}};

// Streams of which the test holds the other end.
struct Bench {
  explicit Bench(IdleBounds its_bounds = {}) : bounds(its_bounds) {}

  net::Loop loop;
  const IdleBounds bounds;
  balancer::PermitInbox permits{[] {}};
  Instant now = kNow;
  Pools pools{http::Limits{}, permits, [this] { return now; }, bounds};
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
    return net::TcpStream::adopt(loop, net::Socket(ends[0]), silent);
  }

  void turn() {
    loop.turn(false);
    pools.bury();
  }

  // One GET on `connection`, answered by 204 with those fields, then back into its pool.
  void serve(std::unique_ptr<UpstreamConnection> connection, std::string_view fields) {
    struct User final : UpstreamUser {
      bool ended = false;
      bool on_upstream_head(const http::ResponseHead&) override { return true; }
      bool on_upstream_body(std::span<const char>) override { return true; }
      bool on_upstream_forwarded(std::size_t, net::WriteResult) override { return true; }
      void on_upstream_pause() override {}
      void on_upstream_end(bool reusable) override { ended = reusable; }
      void on_upstream_tunnel(std::span<const char>) override {}
      void on_upstream_failed(const UpstreamFailure&) override {}
      void on_upstream_drained() override {}
    } user;
    const std::string text = "HTTP/1.1 204 No Content\r\n" + std::string(fields) + "\r\n";
    connection->begin(user, http::Method::kGet, false);
    REQUIRE(::send(far_ends.back().fd(), text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
    loop.turn(false);
    REQUIRE(user.ended);
    connection->pool().give(std::move(connection));
  }
};

constexpr Reuse kRepeat{};
constexpr Reuse kOnce{.once = true};
constexpr Reuse kVerified{.verify = true};

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
  pool.give(std::move(first));
  bench.now += seconds{1};
  pool.give(std::move(second));
  bench.now += milliseconds{251};
  CHECK(pool.take(kOnce) == nullptr);
  bench.now -= milliseconds{1};
  auto taken = pool.take(kOnce);
  CHECK(taken.get() == last);
  CHECK(pool.idle() == 1);
  CHECK(bench.pools.idle() == 1);
  pool.discard(std::move(taken));
}

TEST_CASE("AnEndOrStrayBytesTakeAConnectionOut") {
  Bench bench;
  HostPool& pool = bench.pools.of(bench.host(0));
  pool.give(pool.adopt(bench.stream()));
  pool.give(pool.adopt(bench.stream()));
  bench.far_ends[0].reset();
  REQUIRE(::send(bench.far_ends[1].fd(), "x", 1, MSG_NOSIGNAL) == 1);
  bench.turn();
  CHECK(pool.idle() == 0);
}

TEST_CASE("VerifyingSeesAnEndThatWasNotDeliveredYet") {
  Bench bench;
  HostPool& pool = bench.pools.of(bench.host(0));
  pool.give(pool.adopt(bench.stream()));
  pool.give(pool.adopt(bench.stream()));
  bench.far_ends[1].reset();  // the one that would come first
  auto taken = pool.take(kVerified);
  REQUIRE(taken != nullptr);
  CHECK(pool.idle() == 0);
  pool.discard(std::move(taken));
}

TEST_CASE("AnInboundPortThatChangesBeginsAnew") {
  Bench bench;
  HostPool& direct = bench.pools.of(bench.host(0));
  direct.give(direct.adopt(bench.stream()));
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
    pool.give(pool.adopt(bench.stream()));
    bench.now += IdleLimit::kMost;
    bench.pools.sweep();
    CHECK(pool.idle() == 1);
    bench.now += milliseconds{1};
    bench.pools.sweep();
    CHECK(pool.idle() == 0);
    CHECK_FALSE(bench.pools.empty());  // leased
  }
  bench.pools.sweep();
  CHECK(bench.pools.empty());
}

TEST_CASE("IdleConnectionsAreBoundedPerEndpointTheOldestGoes") {
  Bench bench;
  HostPool& pool = bench.pools.of(bench.host(0));
  auto oldest = pool.adopt(bench.stream());
  const UpstreamConnection* first = oldest.get();
  pool.give(std::move(oldest));
  for (std::size_t i = 0; i < HostPool::kMaxIdle; ++i) {
    pool.give(pool.adopt(bench.stream()));
  }
  CHECK(pool.idle() == HostPool::kMaxIdle);
  CHECK(bench.pools.idle() == HostPool::kMaxIdle);
  while (auto taken = pool.take(kRepeat)) {
    CHECK(taken.get() != first);
    pool.discard(std::move(taken));
  }
  CHECK(bench.pools.idle() == 0);
}

TEST_CASE("IdleConnectionsAreBoundedPerWorkerOfTheSameEndpointTheOldestGoes") {
  Bench bench({.connections = 2});
  HostPool& pool = bench.pools.of(bench.host(0));
  HostPool& other = bench.pools.app({"127.0.0.1", 80});
  pool.give(pool.adopt(bench.stream()));
  pool.give(pool.adopt(bench.stream()));
  other.give(other.adopt(bench.stream()));  // has none to give up for it
  CHECK(other.idle() == 0);
  auto newest = pool.adopt(bench.stream());
  const UpstreamConnection* last = newest.get();
  pool.give(std::move(newest));
  CHECK(bench.pools.idle() == 2);
  auto taken = pool.take(kRepeat);
  CHECK(taken.get() == last);
  pool.discard(std::move(taken));
}

TEST_CASE("AnAnnouncedTimeHoldsForItsConnection") {
  Bench bench;
  HostPool& pool = bench.pools.of(bench.host(0));
  const PoolLease lease(pool);
  bench.serve(pool.adopt(bench.stream()), "Keep-Alive: timeout=5\r\n");
  bench.now += milliseconds{3999};
  auto taken = pool.take(kOnce);
  REQUIRE(taken != nullptr);
  bench.serve(std::move(taken), "");  // says nothing more: it holds still
  bench.now += milliseconds{4001};
  CHECK(pool.take(kOnce) == nullptr);
  CHECK(pool.take(kRepeat) == nullptr);
  bench.pools.sweep();
  CHECK(pool.idle() == 0);
  // Of another connection nothing is known.
  bench.serve(pool.adopt(bench.stream()), "");
  bench.now += milliseconds{251};
  CHECK(pool.take(kOnce) == nullptr);
  bench.now += seconds{20};
  taken = pool.take(kRepeat);
  REQUIRE(taken != nullptr);
  pool.discard(std::move(taken));
}

TEST_CASE("AnIdleConnectionGivesItsBuffersBackAndServesOn") {
  Bench bench;
  HostPool& pool = bench.pools.of(bench.host(0));
  bench.serve(pool.adopt(bench.stream()), "Keep-Alive: timeout=20\r\n");
  for (int i = 0; i < 3; ++i) {
    bench.now += IdleBounds().memory;
    bench.pools.sweep();
    auto taken = pool.take(kOnce);
    REQUIRE(taken != nullptr);
    CHECK(taken->terms().timeout == seconds{20});
    bench.serve(std::move(taken), "");
  }
}

TEST_CASE("AnAnnouncedNumberIsCountedDown") {
  Bench bench;
  HostPool& pool = bench.pools.of(bench.host(0));
  bench.serve(pool.adopt(bench.stream()), "Keep-Alive: max=2\r\n");
  for (const std::size_t left : {1U, 0U}) {
    auto taken = pool.take(kRepeat);
    REQUIRE(taken != nullptr);
    bench.serve(std::move(taken), "");
    CHECK(pool.idle() == (left > 0 ? 1 : 0));
  }
  bench.serve(pool.adopt(bench.stream()), "Keep-Alive: timeout=5, max=0\r\n");
  CHECK(pool.idle() == 0);
  bench.serve(pool.adopt(bench.stream()), "Keep-Alive: timeout=0\r\n");
  CHECK(pool.idle() == 0);
}

TEST_CASE("ACloseThatIsSeenIsLearnedAndRememberedForAWhile") {
  Bench bench;
  HostPool& pool = bench.pools.of(bench.host(0));
  bench.serve(pool.adopt(bench.stream()), "");
  bench.now += seconds{1};
  bench.far_ends.back().reset();
  bench.turn();
  CHECK(pool.idle() == 0);
  CHECK(pool.limit().learned() == milliseconds{800});
  bench.serve(pool.adopt(bench.stream()), "");
  bench.now += milliseconds{801};
  CHECK(pool.take(kRepeat) == nullptr);
  bench.pools.sweep();
  CHECK(pool.idle() == 0);
  bench.now += HostPool::kRememberTime - milliseconds{801};
  bench.pools.sweep();
  CHECK(bench.pools.of(bench.host(0)).limit().learned() == milliseconds{800});
  bench.now += milliseconds{1};
  bench.pools.sweep();
  CHECK(bench.pools.empty());
}

TEST_CASE("AnEndThatIsSeenOnlyWhenUsedIsLearnedToo") {
  Bench bench;
  HostPool& pool = bench.pools.of(bench.host(0));
  pool.give(pool.adopt(bench.stream()));
  bench.now += milliseconds{100};
  bench.far_ends.back().reset();
  CHECK(pool.take(kVerified) == nullptr);
  CHECK(pool.limit().learned() == milliseconds{80});
  auto used = pool.adopt(bench.stream());
  used->idle_before = milliseconds{50};
  pool.note_idle_end(*used);
  CHECK(pool.limit().learned() == milliseconds{40});
  pool.discard(std::move(used));
}

TEST_CASE("AnEndpointThatWasReplacedKeepsNothing") {
  Bench bench;
  HostPool& direct = bench.pools.of(bench.host(0));
  {
    const PoolLease lease(direct);
    auto busy = direct.adopt(bench.stream());
    bench.pools.of(bench.host(4143));
    direct.give(std::move(busy));
    CHECK(direct.idle() == 0);
  }
  bench.pools.sweep();
  CHECK(bench.pools.empty());
}

TEST_CASE("StrangersAreKnownForTenSecondsAndAtMostSixteen") {
  Bench bench;
  Strangers strangers;
  CHECK(strangers.known(kNow).empty());
  std::vector<std::shared_ptr<const balancer::Host>> hosts;
  for (std::uint16_t i = 0; i < 17; ++i) {
    bench.table = nullptr;  // another Host each time
    hosts.push_back(bench.host(i).host);
    strangers.add(hosts.back(), kNow + seconds{i / 8});
  }
  REQUIRE(strangers.known(kNow).size() == 16);
  CHECK(strangers.known(kNow)[0] == hosts[1].get());
  CHECK(strangers.known(kNow)[15] == hosts[16].get());
  strangers.add(hosts[1], kNow + seconds{2});  // seen again: known for longer
  CHECK(strangers.known(kNow + seconds{10}).size() == 10);
  CHECK(strangers.known(kNow + seconds{11}).size() == 2);
  CHECK(strangers.known(kNow + seconds{11})[1] == hosts[1].get());
  CHECK(strangers.known(kNow + seconds{12}).empty());
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
