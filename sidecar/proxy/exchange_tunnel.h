// How an exchange comes to a tunnel, and what it keeps from the moment when that was agreed to.
//
// Inside Exchange's own files only. Three things lead here: an Upgrade and its 101; a CONNECT and a
// 2xx of the other sidecar, or, where there is none, a connection that stands; a raw port, which
// says CONNECT by a request that Downstream writes itself.
// Rules: 1. the caller's bytes wait until it is agreed; a body that comes with an Upgrade goes out
// as HTTP first, whenever the 101 comes; 2. a 101 must name only what was offered, any other status
// is an ordinary response; 3. a connection that was offered an upgrade is never pooled, whatever
// came of it: some servers read on by the other protocol; 4. CONNECT has a connection of its own,
// nothing is served behind it, and a try that ends before the 2xx has carried nothing: it goes to
// another host; 5. the host of a CONNECT is judged after timeouts.connect, or at the tunnel's end:
// a reset before it sent a byte is a failure. So no probe is held for days; from then on the pick
// holds its host but no table; 6. the duration in the metrics ends when the tunnel stands, the one
// in the access log with the tunnel.
#pragma once

#include <optional>
#include <string>

#include "sidecar/proxy/access.h"
#include "sidecar/proxy/exchange.h"
#include "sidecar/proxy/tunnel.h"

namespace ringside::proxy {

struct Exchange::TunnelPhase {
  Instant agreed{};
  Instant judge_at = kNever;
  std::string early;             // from upstream, while the request's body is still on its way
  ShortText<80> endpoint;        // for the access log, when the pick has let its table go
  std::optional<Tunnel> tunnel;  // once the body is out
  bool cut = false;              // what was carried must not look complete
};

}  // namespace ringside::proxy
