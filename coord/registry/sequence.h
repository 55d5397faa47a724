// How the 32-bit counters of a znode go on. Pure; used by the leader who settles them and by every
// member that checks them.
#pragma once

#include <cstdint>
#include <limits>

namespace ringside::coord {

inline constexpr std::int32_t kLastCreates = std::numeric_limits<std::int32_t>::max();

// Children ever made: stays at its last value, where sequential creates are refused. (ZooKeeper's
// wraps and prints negative names, ZK-4706.)
constexpr std::int32_t next_creates(std::int32_t creates) {
  return creates == kLastCreates ? kLastCreates : creates + 1;
}

// Wraps through the negative numbers, -1 included, as ZooKeeper's does.
constexpr std::int32_t next_version(std::int32_t version) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(version) + 1U);
}

}  // namespace ringside::coord
