// Name resolution on libuv's pool.
//
// Owned by who waits; loop thread only. Destroying a Resolve gives up: its callback never runs
// then. Names are resolved afresh each time (the system's resolver caches, if anything does).
#pragma once

#include <functional>
#include <vector>

#include "config/base/error.h"
#include "config/settings.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/socket.h"

namespace ringside::net {

class Resolve {
 public:
  using Callback = std::function<void(Result<std::vector<SocketAddress>>)>;

  // The callback comes from the loop, never from inside the constructor, with at least one address
  // (in the order to try them) or an Error that names the host.
  Resolve(Loop& loop, const config::Address& address, Callback callback);
  ~Resolve();
  Resolve(const Resolve&) = delete;
  Resolve& operator=(const Resolve&) = delete;

 private:
  struct Impl;
  Impl* impl_;  // frees itself when libuv is through with it
};

}  // namespace ringside::net
