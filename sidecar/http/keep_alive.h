// What a response's Keep-Alive fields announce of its connection (RFC 2068, 19.7.1.1; no later RFC
// has it, but Apache, Node and others send it, and who keeps connections needs it).
//
// Called by sidecar/proxy when a connection goes back to its pool. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "config/base/time.h"
#include "sidecar/http/head.h"

namespace ringside::http {

struct KeepAliveTerms {
  std::optional<seconds> timeout;    // closed when it was idle for so long
  std::optional<std::uint32_t> max;  // serves so many further requests

  bool operator==(const KeepAliveTerms&) const = default;
};

// All fields of that name together. One element that breaks the grammar, or a parameter that comes
// twice, and nothing is believed; parameters that are not known are passed over.
KeepAliveTerms read_keep_alive(const Head& head);

}  // namespace ringside::http
