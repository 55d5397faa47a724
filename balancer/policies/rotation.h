// round_robin and weighted: the next slot of the upstream's smooth schedule.
//
// Called by pick() on a worker's thread. The two differ only in the weights by which the schedule
// was made (all 1, or the endpoints' own), so they are one policy here.
//
// The cursor is shared by all workers and moves by fetch_add, so counts are exact over all of them:
// n picks give each host its share of n to within one, whoever made them. A slot whose host cannot
// be used is passed over by taking one more slot of the same cursor: the passed-over share spreads
// over all others in their proportion instead of going to the neighbour in the schedule.
// After kMaxSkips slots in a row (a heavy host whose breaker is open) the draw is by weight.
#pragma once

#include <expected>

#include "balancer/pick.h"

namespace ringside::balancer {

inline constexpr int kMaxSkips = 64;

// Needs at least one candidate.
std::expected<Pick, PickFailure> pick_rotation(const Upstream& upstream,
                                               const PickContext& context);

}  // namespace ringside::balancer
