// What the policies share: may this candidate be used, and taking it.
//
// Called by the policies only, on a worker's thread. No lock, no allocation.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "balancer/pick.h"

namespace ringside::balancer {

// Not tried yet, and its breaker would let a call pass now.
bool usable(const Upstream& upstream, const Candidate& candidate, const PickContext& context);

// Takes the candidate: in flight, admitted by its breaker. Nothing if it was tried or is refused.
std::optional<Pick> claim(const Upstream& upstream, const Candidate& candidate,
                          const PickContext& context);

enum class ClaimFailure : std::uint8_t { kBusier, kRefused };

// The same for a candidate that is usable() and was chosen because `seen` calls run on it: kBusier
// when more do by now.
std::expected<Pick, ClaimFailure> claim_at_most(const Upstream& upstream,
                                                const Candidate& candidate, std::uint32_t seen,
                                                const PickContext& context);

// The way out when a policy found nobody in a few steps: draws by weight among all usable
// candidates, O(n).
std::expected<Pick, PickFailure> claim_any(const Upstream& upstream, const PickContext& context);

// Why nobody is usable.
PickFailure why_nobody(const Upstream& upstream, const PickContext& context);

}  // namespace ringside::balancer
