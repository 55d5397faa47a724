#include "balancer/policies/rotation.h"

#include "balancer/policies/claim.h"

namespace ringside::balancer {

std::expected<Pick, PickFailure> pick_rotation(const Upstream& upstream,
                                               const PickContext& context) {
  for (int skips = 0; skips <= kMaxSkips; ++skips) {
    const Candidate& candidate = upstream.candidates()[upstream.next_slot()];
    if (const auto taken = claim(upstream, candidate, context)) return *taken;
  }
  return claim_any(upstream, context);
}

}  // namespace ringside::balancer
