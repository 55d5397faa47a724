// Good path: socket, bind, listen, poll for readable; accept4 until it would block, at most kBatch
// per turn so that connections already open get their share.
// Close: a socket filter drops first segments (SYN without ACK), since closing the socket resets
// what has connected and was not accepted yet (Linux, inet_csk_listen_stop).
// Failure paths: open: a name that is no address, no socket, port taken, listen refused: an Error
// that names the address. Accept: the caller gave up meanwhile (next one); out of descriptors or
// memory (pause, told); anything else (told, next one).
#include "sidecar/net/tcp_listener.h"

#include <fmt/format.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <uv.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "config/base/check.h"
#include "sidecar/net/timer.h"

namespace ringside::net {

namespace {

constexpr int kBatch = 64;

Error os_error(const std::string& what, int error) {
  return Error{ErrorCode::kIo, fmt::format("{}: {}", what, std::strerror(error))};
}

Result<SocketAddress> to_bind_address(const config::Address& address) {
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  const auto numeric = SocketAddress::numeric(host, address.port);
  if (!numeric) {
    return fail(ErrorCode::kInvalid,
                fmt::format("cannot listen on {}: not an IP address", address.to_string()));
  }
  return *numeric;
}

Status prepare(const Socket& socket, const SocketAddress& address, const std::string& text) {
  const int on = 1;
  const int off = 0;
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // What is accepted inherits this one.
  ::setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (address.raw()->sa_family == AF_INET6) {
    ::setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  if (::bind(socket.fd(), address.raw(), static_cast<socklen_t>(address.raw_size())) != 0) {
    return std::unexpected(os_error("cannot bind " + text, errno));
  }
  if (::listen(socket.fd(), SOMAXCONN) != 0) {
    return std::unexpected(os_error("cannot listen on " + text, errno));
  }
  return {};
}

}  // namespace

struct TcpListener::Impl {
  uv_poll_t poll{};
  Socket socket;
  SocketAddress bound;
  std::optional<Timer> resume;
  Events events;
  bool closed = false;

  // At most `most`.
  void accept(int most);
  void pause();
};

Result<std::unique_ptr<TcpListener>> TcpListener::open(Loop& loop, const config::Address& address,
                                                       Events events) {
  const auto where = to_bind_address(address);
  if (!where) {
    return std::unexpected(where.error());
  }
  const std::string text = address.to_string();
  Socket socket(
      ::socket(where->raw()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!socket) {
    return std::unexpected(os_error("cannot open a socket for " + text, errno));
  }
  if (auto ready = prepare(socket, *where, text); !ready) {
    return std::unexpected(std::move(ready.error()));
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    return std::unexpected(os_error("cannot read the address of " + text, errno));
  }
  auto impl = std::make_unique<Impl>();
  if (const int error = uv_poll_init_socket(loop.raw(), &impl->poll, socket.fd()); error != 0) {
    return fail(ErrorCode::kIo, fmt::format("cannot poll {}: {}", text, uv_strerror(error)));
  }
  Impl* raw = impl.release();  // from here on it frees itself when closed
  raw->poll.data = raw;
  raw->socket = std::move(socket);
  raw->bound = SocketAddress::from(reinterpret_cast<const sockaddr*>(&bound));
  raw->events = std::move(events);
  raw->resume.emplace(loop, [raw] {
    CHECK(uv_poll_start(&raw->poll, UV_READABLE, [](uv_poll_t* poll, int, int) {
            static_cast<Loop*>(poll->loop->data)->begin_work();
            static_cast<Impl*>(poll->data)->accept(kBatch);
          }) == 0);
  });
  raw->resume->start(Duration::zero());
  return std::unique_ptr<TcpListener>(new TcpListener(raw));
}

TcpListener::~TcpListener() {
  impl_->closed = true;
  impl_->resume.reset();
  uv_poll_stop(&impl_->poll);
  impl_->socket.reset();
  uv_close(reinterpret_cast<uv_handle_t*>(&impl_->poll),
           [](uv_handle_t* handle) { delete static_cast<Impl*>(handle->data); });
}

void TcpListener::begin_close() {
  // A filter of TCP sees the segment from its header on; byte 13 holds the flags (RFC 9293, 3.1).
  constexpr std::uint32_t kFlags = 13;
  constexpr std::uint32_t kSyn = 0x02;
  constexpr std::uint32_t kAck = 0x10;
  constexpr std::uint32_t kWhole = 0xffffffff;
  std::array<sock_filter, 5> program{
      {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlags), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kSyn | kAck),
       BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kSyn, 1, 0), BPF_STMT(BPF_RET | BPF_K, kWhole),
       BPF_STMT(BPF_RET | BPF_K, 0)}};
  const sock_fprog all{program.size(), program.data()};
  if (::setsockopt(impl_->socket.fd(), SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all) != 0 &&
      impl_->events.on_trouble) {
    impl_->events.on_trouble(
        os_error("cannot stop connections to " + impl_->bound.to_string(), errno));
  }
}

void TcpListener::accept_pending() {
  impl_->accept(SOMAXCONN + 1);  // as many as may wait
}

const SocketAddress& TcpListener::address() const {
  return impl_->bound;
}

void TcpListener::Impl::accept(int most) {
  for (int i = 0; i < most && !closed; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    Socket accepted(::accept4(socket.fd(), reinterpret_cast<sockaddr*>(&peer), &size,
                              SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted) {
      events.on_accept(std::move(accepted),
                       SocketAddress::from(reinterpret_cast<const sockaddr*>(&peer)));
      continue;
    }
    const int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK) {
      return;
    }
    if (error == ECONNABORTED || error == EINTR || error == EPROTO) {
      continue;
    }
    if (events.on_trouble) {
      events.on_trouble(os_error("cannot accept on " + bound.to_string(), error));
    }
    if (closed) {
      return;
    }
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
      pause();
      return;
    }
  }
}

void TcpListener::Impl::pause() {
  uv_poll_stop(&poll);
  resume->start(kPause);
}

}  // namespace ringside::net
