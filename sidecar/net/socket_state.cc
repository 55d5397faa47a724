#include "sidecar/net/socket_state.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

#include "sidecar/net/socket.h"

namespace ringside::net {

namespace {

// Of a silent peer: asked first after, again after, and so often.
constexpr int kSilentSeconds = 60;
constexpr int kAskAgainSeconds = 15;
constexpr int kAskTimes = 4;

}  // namespace

bool nothing_to_read(int fd) {
  char byte = 0;
  const auto count = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

int pending_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : 0;
}

std::size_t unacknowledged_bytes(int fd) {
  int queued = 0;
  return ::ioctl(fd, SIOCOUTQ, &queued) == 0 ? static_cast<std::size_t>(queued) : 0;
}

bool connected_to_itself(int fd) {
  const auto name = [fd](auto* get) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const bool known = get(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    return known ? SocketAddress::from(reinterpret_cast<const sockaddr*>(&address))
                 : SocketAddress();
  };
  const SocketAddress own = name(::getsockname);
  const SocketAddress peer = name(::getpeername);
  return !own.empty() && own.port() == peer.port() && own.ip() == peer.ip();
}

void reset_when_closed(int fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
}

void ask_peer_if_silent(int fd) {
  const auto set = [fd](int level, int option, int value) {
    static_cast<void>(::setsockopt(fd, level, option, &value, sizeof value));
  };
  set(IPPROTO_TCP, TCP_KEEPIDLE, kSilentSeconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kAskAgainSeconds);
  set(IPPROTO_TCP, TCP_KEEPCNT, kAskTimes);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
}

}  // namespace ringside::net
