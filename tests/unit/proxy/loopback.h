// Blocking loopback sockets for tests that drive a whole ProxyServer.
#pragma once

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string_view>

#include "sidecar/net/socket.h"

namespace ringside::proxy::test {

inline net::Socket listen_on(std::uint16_t& port) {
  net::Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = *net::SocketAddress::numeric("127.0.0.1", 0);
  REQUIRE(::bind(socket.fd(), address.raw(), sizeof(sockaddr_in)) == 0);
  REQUIRE(::listen(socket.fd(), 16) == 0);
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  REQUIRE(::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&bound), &size) == 0);
  port = ntohs(bound.sin_port);
  return socket;
}

inline net::Socket connect_to(std::uint16_t port) {
  net::Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = *net::SocketAddress::numeric("127.0.0.1", port);
  REQUIRE(::connect(socket.fd(), address.raw(), sizeof(sockaddr_in)) == 0);
  return socket;
}

// Sends `request`, reads until `count` bytes of the response came.
inline void exchange(const net::Socket& caller, std::string_view request, std::size_t count) {
  REQUIRE(::send(caller.fd(), request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size()));
  char buffer[4096];
  std::size_t got = 0;
  while (got < count) {
    const ssize_t n = ::recv(caller.fd(), buffer, sizeof buffer, 0);
    REQUIRE(n > 0);
    got += static_cast<std::size_t>(n);
  }
  REQUIRE(got == count);
}

}  // namespace ringside::proxy::test
