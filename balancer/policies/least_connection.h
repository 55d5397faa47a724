// least_connection: the host with the fewest calls in flight for its weight.
//
// Called by pick() on a worker's thread.
//
// Up to kMaxScanned hosts: all are looked at. Ties (idle hosts above all) go by the smooth schedule
// of their weights, so that equal hosts share evenly and an idle upstream is served by weight.
// Beyond: power of two choices (Mitzenmacher 2001): two hosts drawn by weight, the less loaded one
// taken, the first on a tie.
//
// Two workers at once: both may read the same counts, but a host is entered only while its count is
// at most the one by which it was chosen (compare-and-set); a worker that came second looks again.
// So a choice never rests on a count of the chosen host that is already too low. After kMaxRescans
// it takes its choice anyway: under such contention counts differ by a few at most.
#pragma once

#include <cstddef>
#include <expected>

#include "balancer/pick.h"

namespace ringside::balancer {

inline constexpr std::size_t kMaxScanned = 64;
inline constexpr int kMaxRescans = 4;

// Needs at least one candidate.
std::expected<Pick, PickFailure> pick_least_connection(const Upstream& upstream,
                                                       const PickContext& context);

}  // namespace ringside::balancer
