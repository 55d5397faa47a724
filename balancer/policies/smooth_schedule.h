// smooth_schedule: the order in which a cycle serves hosts by weight, each host's turns spread over
// the whole cycle.
//
// Called by Upstream when a host set is built (never by a pick). Pure.
//
// The order is that of nginx's smooth weighted round robin (each step adds its weight to every
// host's credit, the host with most credit is served and pays the sum of weights). That costs
// hosts x slots steps; above kMaxExactSteps the order is by Webster's divisors instead (next is the
// host with the least (turns + 1/2) / weight, by a heap): the same shares, nearly as smooth, fast
// enough for the control loop at 10,000 hosts.
//
// Invariants
// 1. In one cycle each host has exactly its scaled weight of slots, at least one.
// 2. At most kMaxSlots slots, or one for each host when there are more hosts. Weights are divided
// by
//    their greatest common divisor, and scaled down only when their sum is still too large.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ringside::balancer {

inline constexpr std::size_t kMaxSlots = 65536;
inline constexpr std::size_t kMaxExactSteps = std::size_t{1} << 20U;  // about 1 ms

// Positions in `weights` (each at least 1), one for each slot.
std::vector<std::uint32_t> smooth_schedule(std::span<const std::uint32_t> weights);

}  // namespace ringside::balancer
