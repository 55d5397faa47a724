// May this request change something? A browser that was led here by a foreign page must not
// (product.md, "A change through the admin port").
//
// Pure, any thread. A page of another site may send a request to 127.0.0.1, and a name of its own
// may lead here (DNS rebinding): the browser then sends that page's Origin, or that name as Host.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sidecar/admin/trouble.h"

namespace ringside::admin {

// The values of all the Host and Origin fields, as they came. Allowed: one Host, an address or
// localhost; no Origin, or one that is this very Host.
std::optional<Trouble> refuse_change(const std::vector<std::string>& hosts,
                                     const std::vector<std::string>& origins);

}  // namespace ringside::admin
