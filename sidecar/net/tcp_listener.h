// A listening TCP socket: accepts and hands each connection over as a Socket, so that whoever gets
// it may serve it on another loop.
//
// Owned by who listens; loop thread only. Destroying it (also from inside on_accept) closes the
// port. Accepted sockets are non-blocking, close-on-exec and have TCP_NODELAY.
// Invariant: out of descriptors or memory is no busy loop: accepting pauses for kPause and
// on_trouble is told.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "config/base/error.h"
#include "config/settings.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/socket.h"

namespace ringside::net {

class TcpListener {
 public:
  static constexpr milliseconds kPause{100};
  static constexpr milliseconds kHandshakeTime{2};  // a round trip within a region
  struct Events {
    std::function<void(Socket, const SocketAddress& peer)> on_accept;
    std::function<void(const Error&)> on_trouble;  // may be empty
  };

  // Binds a numeric address or `localhost`, and listens. Port 0 takes a free one. The message of an
  // error names the address.
  static Result<std::unique_ptr<TcpListener>> open(Loop& loop, const config::Address& address,
                                                   Events events);
  ~TcpListener();
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  // To close a port without resetting who connects just then: begin_close(), kHandshakeTime later
  // accept_pending(), destroy. From begin_close() on the kernel takes no new connection: who tries
  // waits, and is refused once the port is closed. Handshakes under way are finished.
  void begin_close();
  // Hands out all that has connected, at once.
  void accept_pending();

  // Where it really listens.
  [[nodiscard]] const SocketAddress& address() const;
  [[nodiscard]] std::uint16_t port() const { return address().port(); }

 private:
  struct Impl;
  explicit TcpListener(Impl* impl) : impl_(impl) {}
  Impl* impl_;  // frees itself in libuv's close callback
};

}  // namespace ringside::net
