// Which offers to leave HTTP are passed on, and which answers take them up (RFC 9110, 7.8).
//
// Called by sidecar/proxy. Pure, no allocation.
#pragma once

#include "sidecar/http/head.h"

namespace ringside::http {

// True when the request offers protocols that it may be switched to through us. An offer that names
// HTTP itself (`h2c`, `HTTP/2.0`) is none: it may be passed over, some clients send it always, and
// requests inside such a tunnel would be seen by nobody.
bool offers_upgrade(const RequestHead& request);

// True when a 101 names at least one protocol, and none that the request did not offer.
bool takes_up_offer(const RequestHead& request, const ResponseHead& response);

}  // namespace ringside::http
