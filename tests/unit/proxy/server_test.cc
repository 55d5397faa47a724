// ProxyServer as a whole: ports, tables, settings, stop.
#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "balancer/routing_table.h"
#include "loopback.h"
#include "sidecar/proxy/proxy_server.h"

namespace ringside::proxy {

using test::connect_to;
using test::listen_on;

namespace {

// What on_trouble and on_ports were told, from any thread.
struct Troubles {
  std::mutex mutex;
  std::vector<std::string> messages;
  void note(const Error& error) {
    const std::lock_guard lock(mutex);
    messages.push_back(error.message);
  }
  std::size_t count() {
    const std::lock_guard lock(mutex);
    return messages.size();
  }
};

std::shared_ptr<config::Settings> make_settings(int workers) {
  auto settings = std::make_shared<config::Settings>();
  settings->proxy.outbound = {"127.0.0.1", 0};
  settings->proxy.inbound.reset();
  settings->proxy.workers = workers;
  return settings;
}

std::unique_ptr<ProxyServer> start(std::shared_ptr<const config::Settings> settings,
                                   Troubles& troubles) {
  ProxyOptions options;
  options.settings = std::move(settings);
  options.instance = "self";
  options.on_trouble = [&](const Error& error) { troubles.note(error); };
  options.on_ports = [&](const std::string& closed) {
    troubles.note(Error{ErrorCode::kUnavailable, closed});
  };
  return std::move(ProxyServer::start(std::move(options)).value());
}

// The status line's code of one request on a new connection; 0 when the port is closed.
int ask(std::uint16_t port, std::string_view request) {
  const net::Socket caller = connect_to(port);
  REQUIRE(::send(caller.fd(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
  char buffer[4096];
  const ssize_t n = ::recv(caller.fd(), buffer, sizeof buffer, 0);
  return n < 12 ? 0 : std::stoi(std::string(buffer + 9, 3));
}

bool is_open(std::uint16_t port) {
  const net::Socket caller(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = *net::SocketAddress::numeric("127.0.0.1", port);
  return ::connect(caller.fd(), address.raw(), sizeof(sockaddr_in)) == 0;
}

template <typename Condition>
void wait_for(Condition condition) {
  while (!condition()) {
    std::this_thread::yield();
  }
}

}  // namespace

TEST_CASE("ATakenPortIsAnErrorThatNamesIt") {
  std::uint16_t port = 0;
  const net::Socket taken = listen_on(port);
  auto settings = make_settings(1);
  settings->proxy.outbound.port = port;
  ProxyOptions options;
  options.settings = settings;
  const auto server = ProxyServer::start(std::move(options));
  REQUIRE_FALSE(server.has_value());
  CHECK(server.error().message.find("127.0.0.1:" + std::to_string(port)) != std::string::npos);
}

TEST_CASE("RoutedIsTheSmallestVersionOfAllWorkers") {
  Troubles troubles;
  const auto settings = make_settings(3);
  const auto server = start(settings, troubles);
  CHECK(server->routed() == balancer::TableVersion{});
  Rng rng(1);
  const auto first = balancer::build_table(nullptr, {}, *settings, 5, rng);
  const auto second = balancer::build_table(first.get(), {}, *settings, 9, rng);
  server->publish(first);
  server->publish(second);
  wait_for([&] { return server->routed() == second->version(); });
  CHECK(server->routed().zxid == 9);
}

TEST_CASE("ATableThatNoWorkerUsesEndsWithAPublish") {
  Troubles troubles;
  const auto settings = make_settings(2);
  const auto server = start(settings, troubles);
  Rng rng(1);
  std::shared_ptr<const balancer::RoutingTable> table;
  std::vector<std::weak_ptr<const balancer::RoutingTable>> published;
  for (std::uint64_t zxid = 1; zxid <= 3; ++zxid) {
    table = balancer::build_table(table.get(), {}, *settings, zxid, rng);
    server->publish(table);
    published.emplace_back(table);
    wait_for([&] { return server->routed() == table->version(); });
  }
  CHECK(published[0].expired());
  CHECK_FALSE(published[1].expired());  // no worker ended it
}

TEST_CASE("ACallThatWaitsForItsConnectionHoldsBackWhatIsRouted") {
  Troubles troubles;
  std::uint16_t full_port = 0;
  std::uint16_t other_port = 0;
  const net::Socket full = listen_on(full_port);
  const net::Socket other = listen_on(other_port);
  REQUIRE(::listen(full.fd(), 0) == 0);
  const net::Socket in_the_way = connect_to(full_port);  // its queue is full now
  auto settings = make_settings(1);
  settings->upstreams["shop"].endpoints = {{"127.0.0.1", full_port}};
  settings->upstreams["shop"].timeouts.connect = milliseconds{30'000};
  settings->upstreams["other"].endpoints = {{"127.0.0.1", other_port}};
  const auto server = start(settings, troubles);
  Rng rng(1);
  const auto first = balancer::build_table(nullptr, {}, *settings, 5, rng);
  const auto second = balancer::build_table(first.get(), {}, *settings, 9, rng);
  server->publish(first);
  wait_for([&] { return server->routed() == first->version(); });
  const net::Socket caller = connect_to(server->outbound_port());
  constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: shop\r\n\r\n";
  REQUIRE(::send(caller.fd(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) > 0);
  std::thread app([&other] {
    for (int i = 0; i < 2; ++i) {
      const net::Socket taken(::accept(other.fd(), nullptr, nullptr));
      char buffer[1024];
      static_cast<void>(::recv(taken.fd(), buffer, sizeof buffer, 0));
      constexpr std::string_view kAnswer =
          "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
      static_cast<void>(::send(taken.fd(), kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL));
    }
  });
  // The worker has come past what was before each of these.
  CHECK(ask(server->outbound_port(), "GET / HTTP/1.1\r\nHost: other\r\n\r\n") == 200);
  server->publish(second);
  CHECK(ask(server->outbound_port(), "GET / HTTP/1.1\r\nHost: other\r\n\r\n") == 200);
  app.join();
  CHECK(server->routed() == first->version());
  const net::Socket made_room(::accept(full.fd(), nullptr, nullptr));
  wait_for([&] { return server->routed() == second->version(); });
}

// A caller whose one request is with the app. The loop may not know of its connection yet.
struct LastRequest {
  LastRequest() {
    std::uint16_t port = 0;
    const net::Socket app = listen_on(port);
    auto settings = make_settings(1);
    settings->upstreams["shop"].endpoints = {{"127.0.0.1", port}};
    server = start(settings, troubles);
    Rng rng(1);
    const auto table = balancer::build_table(nullptr, {}, *settings, 1, rng);
    server->publish(table);
    wait_for([&] { return server->routed() == table->version(); });
    caller = connect_to(server->outbound_port());
    constexpr std::string_view kRequest =
        "GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n";
    REQUIRE(::send(caller.fd(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) > 0);
    called = net::Socket(::accept(app.fd(), nullptr, nullptr));
    REQUIRE(::recv(called.fd(), buffer, sizeof buffer, 0) > 0);
  }

  Troubles troubles;
  std::unique_ptr<ProxyServer> server;
  net::Socket caller;
  net::Socket called;
  char buffer[1024];
};

TEST_CASE("ACallerThatLeavesBeforeTheAnswerToItsLastRequestIsNoticed") {
  LastRequest one;
  one.caller.reset();
  CHECK(::recv(one.called.fd(), one.buffer, sizeof one.buffer, 0) == 0);
  wait_for([&] { return one.server->connections_open() == std::vector<std::size_t>{0}; });
}

TEST_CASE("BytesBehindTheLastRequestDoNotTakeTheAnswerAlong") {
  LastRequest one;
  REQUIRE(::send(one.caller.fd(), "\r\n", 2, MSG_NOSIGNAL) == 2);
  constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody";
  REQUIRE(::send(one.called.fd(), kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) > 0);
  std::string answer;
  ssize_t count = 0;
  while ((count = ::recv(one.caller.fd(), one.buffer, sizeof one.buffer, 0)) > 0) {
    answer.append(one.buffer, static_cast<std::size_t>(count));
  }
  CHECK(count == 0);  // an end, no reset
  CHECK(answer.ends_with("\r\n\r\nbody"));
}

TEST_CASE("BeforeTheFirstTableNothingIsThere") {
  Troubles troubles;
  const auto server = start(make_settings(1), troubles);
  CHECK(ask(server->outbound_port(), "GET / HTTP/1.1\r\nHost: shop\r\n\r\n") == 503);
}

TEST_CASE("FixedPortsFollowTheSettings") {
  Troubles troubles;
  const auto settings = make_settings(2);
  const auto server = start(settings, troubles);
  std::uint16_t port = 0;
  {
    const net::Socket probe = listen_on(port);
  }
  auto with_port = std::make_shared<config::Settings>(*settings);
  with_port->upstreams["shop"].listen = config::Address{"127.0.0.1", port};
  server->publish(std::shared_ptr<const config::Settings>(with_port));
  wait_for([&] { return is_open(port); });
  CHECK(ask(port, "GET / HTTP/1.0\r\n\r\n") == 503);
  server->publish(std::shared_ptr<const config::Settings>(settings));
  wait_for([&] { return !is_open(port); });
  CHECK(troubles.count() == 0);
}

TEST_CASE("AChangedProtocolHoldsForNewConnections") {
  Troubles troubles;
  std::uint16_t app_port = 0;
  const net::Socket app = listen_on(app_port);
  auto settings = make_settings(1);
  settings->upstreams["shop"].listen = config::Address{"127.0.0.1", 0};
  settings->upstreams["shop"].protocol = config::Protocol::kTcp;
  settings->upstreams["shop"].endpoints = {{"127.0.0.1", app_port}};
  const auto server = start(settings, troubles);
  Rng rng(1);
  const auto table = balancer::build_table(nullptr, {}, *settings, 1, rng);
  server->publish(table);
  wait_for([&] { return server->routed() == table->version(); });
  const std::uint16_t port = server->upstream_ports().at("shop");
  const net::Socket raw = connect_to(port);
  const net::Socket taken(::accept(app.fd(), nullptr, nullptr));
  auto http = std::make_shared<config::Settings>(*settings);
  http->upstreams["shop"].protocol = config::Protocol::kHttp;
  server->publish(std::shared_ptr<const config::Settings>(http));
  // The worker has come past what was before this.
  CHECK(ask(server->outbound_port(), "GET / HTTP/1.1\r\n\r\n") == 400);
  // Refused by the parser: seen only when the port speaks HTTP.
  CHECK(ask(port, "GET / HTTP/1.1\r\n\r\n") == 400);
  char byte = 0;
  REQUIRE(::send(raw.fd(), "x", 1, MSG_NOSIGNAL) == 1);
  CHECK(::recv(taken.fd(), &byte, 1, 0) == 1);
}

TEST_CASE("AFixedPortThatCanNotBeOpenedIsTold") {
  Troubles troubles;
  const auto settings = make_settings(1);
  const auto server = start(settings, troubles);
  std::uint16_t port = 0;
  const net::Socket taken = listen_on(port);
  auto with_port = std::make_shared<config::Settings>(*settings);
  with_port->upstreams["shop"].listen = config::Address{"127.0.0.1", port};
  server->publish(std::shared_ptr<const config::Settings>(with_port));
  wait_for([&] { return troubles.count() == 1; });
  CHECK(troubles.messages.front().find("(upstreams.shop.listen)") != std::string::npos);
}

TEST_CASE("AStopWithoutConnectionsEndsAtOnceAndClosesThePorts") {
  Troubles troubles;
  const auto server = start(make_settings(2), troubles);
  const std::uint16_t port = server->outbound_port();
  std::promise<void> stopped;
  server->stop([&] { stopped.set_value(); });
  stopped.get_future().wait();
  CHECK_FALSE(is_open(port));
}

TEST_CASE("DestroyingTheServerClosesWhatRuns") {
  Troubles troubles;
  std::uint16_t app_port = 0;
  const net::Socket app = listen_on(app_port);
  auto settings = make_settings(2);
  settings->upstreams["shop"].endpoints = {{"127.0.0.1", app_port}};
  auto server = start(settings, troubles);
  Rng rng(1);
  const auto table = balancer::build_table(nullptr, {}, *settings, 1, rng);
  server->publish(table);
  wait_for([&] { return server->routed() == table->version(); });
  std::vector<net::Socket> callers;
  std::vector<net::Socket> taken;
  constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: shop\r\n\r\n";
  for (int i = 0; i < 4; ++i) {
    callers.push_back(connect_to(server->outbound_port()));
    REQUIRE(::send(callers.back().fd(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) > 0);
    taken.emplace_back(::accept(app.fd(), nullptr, nullptr));
  }
  server.reset();
  for (const auto& caller : callers) {
    char byte = 0;
    CHECK(::recv(caller.fd(), &byte, 1, 0) <= 0);
  }
}

}  // namespace ringside::proxy
