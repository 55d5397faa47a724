// What an exchange keeps from the moment when its Upgrade or CONNECT was agreed to.
//
// Inside Exchange's own files only.
#pragma once

#include <optional>
#include <string>

#include "sidecar/proxy/exchange.h"
#include "sidecar/proxy/tunnel.h"

namespace ringside::proxy {

struct Exchange::TunnelPhase {
  Instant agreed{};
  Instant judge_at = kNever;     // stands by then: the host is good
  std::string early;             // from upstream, while the request's body is still on its way
  std::optional<Tunnel> tunnel;  // once that is out
  bool cut = false;              // what was carried must not look complete
};

}  // namespace ringside::proxy
