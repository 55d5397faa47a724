#include "balancer/policies/smooth_schedule.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>

namespace ringside::balancer {
namespace {

std::vector<std::uint32_t> scale(std::span<const std::uint32_t> weights) {
  std::uint32_t divisor = 0;
  for (const std::uint32_t weight : weights) divisor = std::gcd(divisor, weight);
  std::vector<std::uint32_t> scaled;
  scaled.reserve(weights.size());
  for (const std::uint32_t weight : weights) scaled.push_back(weight / divisor);

  const auto total = std::accumulate(scaled.begin(), scaled.end(), std::uint64_t{0});
  if (total <= kMaxSlots) return scaled;
  // A slot is set aside for each host, so that rounding up to one cannot pass the limit.
  const std::uint64_t room = kMaxSlots > scaled.size() ? kMaxSlots - scaled.size() : 0;
  for (std::uint32_t& weight : scaled) {
    weight = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, weight * room / total));
  }
  return scaled;
}

std::vector<std::uint32_t> by_credit(std::span<const std::uint32_t> weights, std::size_t slots) {
  std::vector<std::int64_t> credit(weights.size(), 0);
  std::vector<std::uint32_t> order;
  order.reserve(slots);
  while (order.size() < slots) {
    std::size_t best = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      credit[i] += weights[i];
      if (credit[i] > credit[best]) best = i;
    }
    credit[best] -= static_cast<std::int64_t>(slots);
    order.push_back(static_cast<std::uint32_t>(best));
  }
  return order;
}

std::vector<std::uint32_t> by_divisors(std::span<const std::uint32_t> weights, std::size_t slots) {
  struct Turn {
    std::uint64_t twice_turns_plus_one;
    std::uint32_t weight;
    std::uint32_t position;

    bool operator<(const Turn& other) const {  // later is less, as priority_queue wants it
      const std::uint64_t mine = twice_turns_plus_one * other.weight;
      const std::uint64_t theirs = other.twice_turns_plus_one * weight;
      return mine != theirs ? mine > theirs : position > other.position;
    }
  };
  std::priority_queue<Turn> queue;
  for (std::uint32_t i = 0; i < weights.size(); ++i) queue.push({1, weights[i], i});
  std::vector<std::uint32_t> order;
  order.reserve(slots);
  while (order.size() < slots) {
    Turn turn = queue.top();
    queue.pop();
    order.push_back(turn.position);
    turn.twice_turns_plus_one += 2;
    queue.push(turn);
  }
  return order;
}

}  // namespace

std::vector<std::uint32_t> smooth_schedule(std::span<const std::uint32_t> weights) {
  if (weights.empty()) return {};
  if (std::ranges::adjacent_find(weights, std::ranges::not_equal_to{}) == weights.end()) {
    std::vector<std::uint32_t> in_turn(weights.size());  // as both ways below would come to
    std::iota(in_turn.begin(), in_turn.end(), 0U);
    return in_turn;
  }
  const std::vector<std::uint32_t> scaled = scale(weights);
  const auto slots = std::accumulate(scaled.begin(), scaled.end(), std::size_t{0});
  return slots * scaled.size() <= kMaxExactSteps ? by_credit(scaled, slots)
                                                 : by_divisors(scaled, slots);
}

}  // namespace ringside::balancer
