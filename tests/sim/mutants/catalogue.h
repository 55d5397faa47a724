// The bugs that coord/mutant.h can bring back, and the seeds known to find them.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "config/base/error.h"
#include "coord/mutant.h"
#include "tests/sim/mutants/hunt.h"

namespace ringside::sim {

struct Bug {
  coord::Mutant mutant;
  std::string_view name;  // of its row and on the command line
  std::string_view what;
};
std::span<const Bug> catalogue();
const Bug* find_bug(std::string_view name);  // null: there is none

// By name; a bug that no seed found has none.
using KnownSeeds = std::map<std::string, Found, std::less<>>;
// Lines of a name, a seed and what was found; # begins a comment. Every name must be known, and no
// bug of the catalogue missing.
Result<KnownSeeds> read_seeds(std::string_view text);
std::string write_seeds(const KnownSeeds& seeds);

}  // namespace ringside::sim
