// Which connections the kernel asks whether their peers are still there.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <optional>

#include "tests/unit/net/net_fixture.h"

namespace ringside::net {

namespace {

constexpr int kMostDescriptors = 256;

std::optional<int> option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(fd, level, name, &value, &size) != 0) {
    return std::nullopt;
  }
  return value;
}

int sockets_asked() {
  int count = 0;
  for (int fd = 0; fd < kMostDescriptors; ++fd) {
    if (option(fd, SOL_SOCKET, SO_KEEPALIVE).value_or(0) != 0) {
      CHECK(option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 60);
      CHECK(option(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 15);
      CHECK(option(fd, IPPROTO_TCP, TCP_KEEPCNT) == 4);
      ++count;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("APeerIsAskedOnlyWhereThatIsWanted") {
  Loop loop;
  test::Pair pair(loop);
  CHECK(sockets_asked() == 0);
  pair.server->ask_if_silent();
  CHECK(sockets_asked() == 1);
  pair.client->ask_if_silent();
  CHECK(sockets_asked() == 2);
}

}  // namespace ringside::net
