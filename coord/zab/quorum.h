// Quorum rules of the ring, as plain functions and one tally. Values; used by all phases.
#pragma once

#include <cstddef>
#include <vector>

#include "config/base/time.h"
#include "coord/zab/types.h"

namespace ringside::coord {

// Voters in favour of something, one count each.
//
// Sufficient: more than half of all voters, none of them in doubt; or every voter there is (D16: a
// voter that may have forgotten what it acknowledged counts only when nobody is missing).
class Tally {
 public:
  explicit Tally(std::size_t voters) : voters_(voters) {}
  void add(bool in_doubt) {
    ++all_;
    clean_ += in_doubt ? 0 : 1;
  }
  [[nodiscard]] bool clean_majority() const { return clean_ * 2 > voters_; }
  [[nodiscard]] bool everybody() const { return all_ == voters_; }
  [[nodiscard]] bool sufficient() const { return clean_majority() || everybody(); }

 private:
  std::size_t voters_;
  std::size_t clean_ = 0;
  std::size_t all_ = 0;
};

// Far before any clock reading, yet its distance to one can be computed.
inline constexpr Instant kLongAgo{Duration::min() / 2};

// The greatest zxid that more than half of `voters` have reached; those not listed have nothing.
Zxid reached_by_majority(std::vector<Zxid> reached, std::size_t voters);
// The latest instant since which more than half of `voters` have been heard; kLongAgo when fewer
// are listed.
Instant heard_from_majority(std::vector<Instant> heard, std::size_t voters);
std::uint64_t confirmed_by_majority(std::vector<std::uint64_t> rounds, std::size_t voters);

}  // namespace ringside::coord
