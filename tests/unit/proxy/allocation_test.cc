// A warm exchange allocates nothing: every operator new of the process is counted while a caller, a
// proxy and an app talk over real loopback connections.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <thread>

#include "balancer/routing_table.h"
#include "loopback.h"
#include "sidecar/proxy/proxy_server.h"

namespace {

std::atomic<std::uint64_t> g_allocations{0};

}  // namespace

void* operator new(std::size_t size) {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size != 0 ? size : 1)) {
    return memory;
  }
  std::abort();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace ringside::proxy {

using test::connect_to;
using test::exchange;
using test::listen_on;

namespace {

constexpr std::string_view kResponse = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

// Answers each head (or head with a two-byte body) that ends in `end` by kResponse.
void serve(const net::Socket& listener, std::string_view end) {
  const net::Socket connection(::accept(listener.fd(), nullptr, nullptr));
  char buffer[8192];
  std::size_t held = 0;
  while (true) {
    const ssize_t n = ::recv(connection.fd(), buffer + held, sizeof buffer - held, 0);
    if (n <= 0) {
      return;
    }
    held += static_cast<std::size_t>(n);
    if (std::string_view(buffer, held).ends_with(end)) {
      held = 0;
      if (::send(connection.fd(), kResponse.data(), kResponse.size(), MSG_NOSIGNAL) < 0) {
        return;
      }
    }
  }
}

enum class Way { kDirect, kSidecar, kRaw };

std::uint64_t allocations_of(std::string_view request, std::string_view end, Way way) {
  std::uint16_t port = 0;
  const net::Socket listener = listen_on(port);
  std::thread app([&] { serve(listener, end); });

  auto settings = std::make_shared<config::Settings>();
  settings->proxy.outbound = {"127.0.0.1", 0};
  if (way == Way::kRaw) {
    settings->upstreams["shop"].listen = config::Address{"127.0.0.1", 0};
    settings->upstreams["shop"].protocol = config::Protocol::kTcp;
  }
  balancer::Endpoint endpoint;
  endpoint.service = "shop";
  endpoint.instance = "127.0.0.1-1-00000001";
  endpoint.host = "127.0.0.1";
  endpoint.port = port;
  endpoint.inbound_port = way == Way::kSidecar ? port : std::uint16_t{0};
  Rng rng(1);
  auto table = balancer::build_table(nullptr, {endpoint}, *settings, 1, rng);
  ProxyOptions options;
  options.settings = settings;
  options.instance = "self";
  auto server = std::move(ProxyServer::start(std::move(options)).value());
  server->publish(table);
  while (server->routed() < table->version()) {
    std::this_thread::yield();
  }

  std::uint64_t counted = 0;
  {
    const net::Socket caller = connect_to(way == Way::kRaw ? server->upstream_ports().at("shop")
                                                           : server->outbound_port());
    for (int i = 0; i < 100; ++i) {
      exchange(caller, request, kResponse.size());
    }
    const std::uint64_t before = g_allocations.load();
    for (int i = 0; i < 1000; ++i) {
      exchange(caller, request, kResponse.size());
    }
    counted = g_allocations.load() - before;
    REQUIRE(before > 0);  // the counter does count
  }
  server.reset();
  app.join();
  return counted;
}

}  // namespace

TEST_CASE("AWarmGetAllocatesNothing") {
  CHECK(allocations_of("GET /path HTTP/1.1\r\nHost: shop\r\nAccept: */*\r\n\r\n", "\r\n\r\n",
                       Way::kDirect) == 0);
}

TEST_CASE("AWarmPostToASidecarAllocatesNothing") {
  CHECK(allocations_of("POST /path HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nhi", "hi",
                       Way::kSidecar) == 0);
}

TEST_CASE("BytesThroughATunnelAllocateNothing") {
  CHECK(allocations_of("ping", "ping", Way::kRaw) == 0);
}

}  // namespace ringside::proxy
