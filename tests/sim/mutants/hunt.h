// Looks for a seed under which the simulator finds one bug. Runs worlds on threads of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "coord/mutant.h"

namespace ringside::sim {

// What was violated in the world of that seed with that bug in it, or nothing. On this thread.
std::optional<std::string> violation_with(coord::Mutant mutant, std::uint64_t seed, bool trace);

struct Found {
  std::uint64_t seed = 0;
  std::string violation;
};
// The first of `seeds` seeds from `from` on that finds the bug, and finds nothing without it.
std::optional<Found> hunt(coord::Mutant mutant, std::uint64_t from, std::uint64_t seeds,
                          std::uint64_t threads);

}  // namespace ringside::sim
