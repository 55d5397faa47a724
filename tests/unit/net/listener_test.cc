// Closing a port: who has connected is served, who comes later is refused, nobody is reset.
#include "sidecar/net/tcp_listener.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "net_fixture.h"
#include "sidecar/net/socket.h"

namespace ringside::net::test {

namespace {

// A connection as the kernel begins it; on loopback it stands at once where it is accepted.
Socket begin_connection(const TcpListener& listener) {
  const SocketAddress& to = listener.address();
  Socket socket(::socket(to.raw()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int result = ::connect(socket.fd(), to.raw(), static_cast<socklen_t>(to.raw_size()));
  REQUIRE((result == 0 || errno == EINPROGRESS));
  return socket;
}

bool decided(const Socket& socket, milliseconds limit) {
  pollfd one{socket.fd(), POLLOUT, 0};
  return ::poll(&one, 1, static_cast<int>(limit.count())) == 1;
}

int error_of(const Socket& socket) {
  int error = 0;
  socklen_t size = sizeof error;
  REQUIRE(::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size) == 0);
  return error;
}

struct Listening {
  Loop loop;
  std::size_t accepted = 0;
  std::unique_ptr<TcpListener> listener =
      TcpListener::open(loop, {"127.0.0.1", 0}, {[this](Socket, const auto&) { ++accepted; }, {}})
          .value();
};

}  // namespace

TEST_CASE("AllWhoHaveConnectedAreHandedOutHoweverMany") {
  Listening one;
  std::vector<Socket> callers;
  for (int i = 0; i < 300; ++i) {
    callers.push_back(begin_connection(*one.listener));
    REQUIRE(decided(callers.back(), milliseconds{5000}));
  }
  one.listener->begin_close();
  one.listener->accept_pending();
  CHECK(one.accepted == callers.size());
}

TEST_CASE("WhoComesWhileAPortClosesIsRefusedNotReset") {
  Listening one;
  one.listener->begin_close();
  const Socket late = begin_connection(*one.listener);
  CHECK_FALSE(decided(late, milliseconds{50}));
  one.listener->accept_pending();
  CHECK(one.accepted == 0);
  one.listener.reset();
  REQUIRE(decided(late, milliseconds{5000}));  // the kernel tries again after 1 s
  CHECK(error_of(late) == ECONNREFUSED);
}

}  // namespace ringside::net::test
