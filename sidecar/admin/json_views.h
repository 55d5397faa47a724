// The JSON of the admin API (product.md), made from a published snapshot. Pure but for the live
// counters of hosts that the snapshot's table points at. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/base/time.h"
#include "sidecar/admin/published.h"

namespace ringside::admin {

std::string status_json(const Snapshot& snapshot, Instant now);
std::string services_json(const Snapshot& snapshot);
// nullopt: no such service.
std::optional<std::string> service_json(const Snapshot& snapshot, std::string_view service);
std::string ring_json(const Snapshot& snapshot);
// The body of /readyz; its `ready` decides between 200 and 503.
std::string ready_json(const Snapshot& snapshot);
// {"error": …, "hint": …}
std::string error_json(std::string_view error, std::string_view hint);

}  // namespace ringside::admin
