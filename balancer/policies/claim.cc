#include "balancer/policies/claim.h"

#include <algorithm>

namespace ringside::balancer {
namespace {

// Races lost to other workers before claim_any says that nobody is there.
constexpr int kMaxDraws = 8;

bool was_tried(const Candidate& candidate, const PickContext& context) {
  return std::ranges::find(context.tried, candidate.host) != context.tried.end();
}

// The usable candidate that `point` (below the sum of usable weights) falls on, or null.
const Candidate* at_point(const Upstream& upstream, const PickContext& context,
                          std::uint64_t point) {
  for (const Candidate& candidate : upstream.candidates()) {
    if (!usable(upstream, candidate, context)) continue;
    if (point < candidate.weight) return &candidate;
    point -= candidate.weight;
  }
  return nullptr;  // another worker has changed a breaker since the weights were summed
}

}  // namespace

bool usable(const Upstream& upstream, const Candidate& candidate, const PickContext& context) {
  return candidate.host->would_admit(upstream.settings().circuit_breaker, context.now) &&
         !was_tried(candidate, context);
}

std::optional<Pick> claim(const Upstream& upstream, const Candidate& candidate,
                          const PickContext& context) {
  if (was_tried(candidate, context)) return std::nullopt;
  const auto stamp = candidate.host->admit(upstream.settings().circuit_breaker, context.now);
  if (!stamp) return std::nullopt;
  candidate.host->enter();
  return Pick{.upstream = &upstream, .host = candidate.entry, .stamp = *stamp};
}

std::expected<Pick, ClaimFailure> claim_at_most(const Upstream& upstream,
                                                const Candidate& candidate, std::uint32_t seen,
                                                const PickContext& context) {
  if (!candidate.host->enter_if_at_most(seen)) return std::unexpected(ClaimFailure::kBusier);
  const auto stamp = candidate.host->admit(upstream.settings().circuit_breaker, context.now);
  if (!stamp) {
    candidate.host->leave();
    return std::unexpected(ClaimFailure::kRefused);
  }
  return Pick{.upstream = &upstream, .host = candidate.entry, .stamp = *stamp};
}

std::expected<Pick, PickFailure> claim_any(const Upstream& upstream, const PickContext& context) {
  for (int draw = 0; draw < kMaxDraws; ++draw) {
    std::uint64_t total = 0;
    for (const Candidate& candidate : upstream.candidates()) {
      if (usable(upstream, candidate, context)) total += candidate.weight;
    }
    if (total == 0) break;
    const Candidate* drawn = at_point(upstream, context, context.rng.below(total));
    if (drawn == nullptr) continue;
    if (const auto taken = claim(upstream, *drawn, context)) return *taken;
  }
  return std::unexpected(why_nobody(upstream, context));
}

PickFailure why_nobody(const Upstream& upstream, const PickContext& context) {
  const auto all = upstream.candidates();
  if (all.empty()) return PickFailure::kNoEndpoints;
  const bool all_tried =
      std::ranges::all_of(all, [&](const Candidate& one) { return was_tried(one, context); });
  return all_tried ? PickFailure::kAllTried : PickFailure::kBreakerOpen;
}

}  // namespace ringside::balancer
