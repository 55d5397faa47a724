// How much applied log a voter keeps in memory for followers that come late.
//
// A follower that lacks more log than a snapshot has bytes is better served by the snapshot; so the
// log follows the size of the tree, within bounds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace ringside::coord {

inline constexpr std::uint64_t kLeastKeptLogBytes = 1ULL << 20U;
inline constexpr std::uint64_t kMostKeptLogBytes = 16ULL << 20U;

// Bytes, for a tree of so many znodes whose last snapshot had `last_snapshot` bytes (0: none yet;
// what is large shows there).
constexpr std::uint64_t kept_log_bytes(std::size_t znodes, std::uint64_t last_snapshot) {
  constexpr std::uint64_t kZnodeBytes = 256;  // with about 100 bytes of data
  return std::clamp(std::max(znodes * kZnodeBytes, last_snapshot), kLeastKeptLogBytes,
                    kMostKeptLogBytes);
}

}  // namespace ringside::coord
