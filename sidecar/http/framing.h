// What a head's fields mean together: where the body ends, whether the connection stays, which host
// is meant (RFC 9112, 6 and 9; RFC 9110, 7.2 and 7.6.1). Internal to this room; called by the
// validator once all fields are read.
#pragma once

#include "sidecar/http/head.h"
#include "sidecar/http/reason.h"

namespace ringside::http {

// Fills connection, keep_alive, upgrade.
Reason read_connection(Head& head);

// HTTP/1.1: exactly one Host; HTTP/1.0: at most one. Its value may be empty, else host[:port].
Reason check_host(const RequestHead& head);

// Both fill framing. A response may also lose keep_alive, and gets interim and tunnel.
Reason frame_request(RequestHead& head);
Reason frame_response(Method method, bool upgrade_requested, ResponseHead& head);

}  // namespace ringside::http
