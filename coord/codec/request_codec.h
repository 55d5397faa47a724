// Requests as bytes: what a member forwards to the leader. Called by the driver. Pure; any thread.
//
// Layout (big-endian): u8 version, u64 session, u8 kind, then its fields in the order of request.h.
#pragma once

#include "config/base/bytes.h"
#include "config/base/error.h"
#include "coord/registry/request.h"

namespace ringside::coord {

inline constexpr std::uint8_t kRequestFormat = 1;

// Needs within_bounds(request); the other side refuses the bytes otherwise.
Bytes encode_request(const Request& request);
// Untrusted bytes. kUnsupported: a later format; kCorrupt: anything else that encode_request does
// not make, what is over the bounds of request.h included.
Result<Request> decode_request(ByteView bytes);

}  // namespace ringside::coord
