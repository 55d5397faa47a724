#include "coord/zab/quorum.h"

#include <algorithm>
#include <functional>

namespace ringside::coord {

namespace {

template <typename Value>
Value majority_of(std::vector<Value> values, std::size_t voters, Value nothing) {
  values.resize(voters, nothing);
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(voters / 2);
  std::nth_element(values.begin(), middle, values.end(), std::greater<>());
  return *middle;
}

}  // namespace

Zxid reached_by_majority(std::vector<Zxid> reached, std::size_t voters) {
  return majority_of(std::move(reached), voters, Zxid{});
}

Instant heard_from_majority(std::vector<Instant> heard, std::size_t voters) {
  return majority_of(std::move(heard), voters, kLongAgo);
}

std::uint64_t confirmed_by_majority(std::vector<std::uint64_t> rounds, std::size_t voters) {
  return majority_of(std::move(rounds), voters, std::uint64_t{0});
}

}  // namespace ringside::coord
