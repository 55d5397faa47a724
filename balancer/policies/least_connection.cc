#include "balancer/policies/least_connection.h"

#include <array>
#include <bit>
#include <limits>

#include "balancer/policies/claim.h"

namespace ringside::balancer {
namespace {

constexpr int kTieSlots = 16;  // slots looked at before a tie goes to the next host in order
constexpr int kPairs = 8;      // pairs drawn before every host is looked at

using Mask = std::uint64_t;  // a bit for each candidate
static_assert(kMaxScanned <= std::numeric_limits<Mask>::digits);

Mask bit(std::size_t position) {
  return Mask{1} << position;
}

// in_flight / weight of a against b, without division.
std::uint64_t cross(std::uint32_t in_flight, std::uint32_t others_weight) {
  return std::uint64_t{in_flight} * others_weight;
}

struct Scan {
  Mask least = 0;  // usable candidates that tie for the least load
  std::array<std::uint32_t, kMaxScanned> seen;
};

// Only the counts of `least` are filled in for sure.
void scan(const Upstream& upstream, const PickContext& context, Mask excluded, Scan& result) {
  const auto candidates = upstream.candidates();
  std::uint32_t in_flight = 0;
  std::uint32_t weight = 0;
  result.least = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    if ((excluded & bit(i)) != 0 || !usable(upstream, candidate, context)) continue;
    const std::uint32_t seen = candidate.host->in_flight();
    result.seen[i] = seen;
    const std::uint64_t mine = cross(seen, weight);
    const std::uint64_t best = cross(in_flight, candidate.weight);
    if (result.least == 0 || mine < best) {
      in_flight = seen;
      weight = candidate.weight;
      result.least = bit(i);
    } else if (mine == best) {
      result.least |= bit(i);
    }
  }
}

std::size_t break_tie(const Upstream& upstream, Mask tied) {
  if (std::has_single_bit(tied)) return static_cast<std::size_t>(std::countr_zero(tied));
  std::uint32_t slot = 0;
  for (int i = 0; i < kTieSlots; ++i) {
    slot = upstream.next_slot();
    if ((tied & bit(slot)) != 0) return slot;
  }
  const Mask from_slot = tied & ~(bit(slot) - 1);
  return static_cast<std::size_t>(std::countr_zero(from_slot != 0 ? from_slot : tied));
}

std::expected<Pick, PickFailure> pick_of_all(const Upstream& upstream, const PickContext& context) {
  Mask excluded = 0;
  Scan found;
  for (int rescans = 0;;) {
    scan(upstream, context, excluded, found);
    if (found.least == 0) return std::unexpected(why_nobody(upstream, context));
    const std::size_t choice = break_tie(upstream, found.least);
    const std::uint32_t most =
        rescans < kMaxRescans ? found.seen[choice] : std::numeric_limits<std::uint32_t>::max();
    const auto taken = claim_at_most(upstream, upstream.candidates()[choice], most, context);
    if (taken) return *taken;
    if (taken.error() == ClaimFailure::kBusier) {
      ++rescans;
    } else {
      excluded |= bit(choice);
    }
  }
}

const Candidate& draw(const Upstream& upstream, const PickContext& context) {
  const auto schedule = upstream.schedule();
  return upstream.candidates()[schedule[context.rng.below(schedule.size())]];
}

std::expected<Pick, PickFailure> pick_of_two(const Upstream& upstream, const PickContext& context) {
  for (int pair = 0; pair < kPairs; ++pair) {
    const Candidate* first = &draw(upstream, context);
    const Candidate* second = &draw(upstream, context);
    if (cross(second->host->in_flight(), first->weight) <
        cross(first->host->in_flight(), second->weight)) {
      std::swap(first, second);
    }
    if (const auto taken = claim(upstream, *first, context)) return *taken;
    if (const auto taken = claim(upstream, *second, context)) return *taken;
  }
  return claim_any(upstream, context);
}

}  // namespace

std::expected<Pick, PickFailure> pick_least_connection(const Upstream& upstream,
                                                       const PickContext& context) {
  return upstream.candidates().size() <= kMaxScanned ? pick_of_all(upstream, context)
                                                     : pick_of_two(upstream, context);
}

}  // namespace ringside::balancer
