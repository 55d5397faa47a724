// What a directory comes to, state by state. A member that starts replays its log without telling
// anyone; when it holds committed transactions that no member had delivered yet, the rules need the
// states in between.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "coord/registry/registry.h"
#include "coord/storage/disk_port.h"

namespace ringside::sim {

using StateSeen = std::function<void(const coord::Registry&, std::span<const coord::Change>)>;

// Calls `seen` after each committed transaction in `image` behind `from`, in order.
void replay(const std::string& ring_name, coord::MemberId member, const coord::DiskImage& image,
            coord::Zxid from, const StateSeen& seen);

}  // namespace ringside::sim
