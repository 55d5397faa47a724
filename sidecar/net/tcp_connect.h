// One attempt to reach an address by name or number, within a time limit: resolve, then try each
// address in order.
//
// Owned by who waits (the proxy's pool, a peer link, a health check); loop thread only. Destroying
// it gives up and no callback comes. The callback comes from the loop, never from inside the
// constructor, and may destroy the TcpConnect.
#pragma once

#include <functional>
#include <memory>

#include "config/base/error.h"
#include "config/base/time.h"
#include "config/settings.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/tcp_stream.h"

namespace ringside::net {

class TcpConnect {
 public:
  // Connected, reading not started and with no handler of the caller's: call set_handler first.
  // Else an Error that names the address: kRefused, kTimeout, kNotFound, kUnavailable or kIo.
  using Callback = std::function<void(Result<std::unique_ptr<TcpStream>>)>;

  TcpConnect(Loop& loop, const config::Address& address, Duration timeout, Callback callback);
  ~TcpConnect();
  TcpConnect(const TcpConnect&) = delete;
  TcpConnect& operator=(const TcpConnect&) = delete;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ringside::net
