// A request to /v1/znode/PATH, read strictly: what is not understood is refused, never passed over.
//
// Pure, any thread. What it gives out is within the bounds of coord (path, data), so that a refusal
// of the ring itself is the exception.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "sidecar/admin/znode_call.h"

namespace ringside::admin {

inline constexpr std::string_view kZnodeRoute = "/v1/znode";
inline constexpr milliseconds kMaxZnodeTimeout{60'000};

// `target`: as in the request line, beginning with kZnodeRoute. `method`: GET (HEAD), PUT, POST,
// DELETE.
std::expected<ZnodeCall, Trouble> read_znode_request(std::string_view method,
                                                     std::string_view target, std::string body);

}  // namespace ringside::admin
