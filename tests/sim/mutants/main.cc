// sim_mutants --search [--mutant NAME] [--seeds N] [--from SEED] [--threads T] [--record FILE]
//             --replay FILE [--threads T]
//             --trace NAME SEED
//
// --search looks for the first seed that finds each bug and prints the table; --record writes what
// it found. --replay looks at a few seeds from each recorded one on: one must find the bug,
// and nothing without it. Exit 0: all found; 1: one was not; 2: wrong usage.
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/check.h"
#include "tests/sim/mutants/catalogue.h"
#include "tests/sim/mutants/hunt.h"
#include "tests/sim/trace.h"

namespace ringside::sim {
namespace {

// A change of the code gives seeds another meaning; so many more are tried before a recorded one
// counts as out of date.
constexpr std::uint64_t kReplaySeeds = 50;

struct Arguments {
  bool search = false;
  std::string mutant;
  std::string record;
  std::string replay;
  std::string trace;
  std::uint64_t seed = 0;
  std::uint64_t seeds = 5000;
  std::uint64_t from = 1;
  std::uint64_t threads = 2;
};

bool read_number(const char* text, std::uint64_t& out) {
  const std::string_view view = text;
  const auto [rest, error] = std::from_chars(view.data(), view.data() + view.size(), out);
  return error == std::errc{} && rest == view.data() + view.size();
}

std::optional<Arguments> parse(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const bool more = i + 1 < argc;
    if (name == "--search") {
      out.search = true;
    } else if (name == "--mutant" && more) {
      out.mutant = argv[++i];
    } else if (name == "--record" && more) {
      out.record = argv[++i];
    } else if (name == "--replay" && more) {
      out.replay = argv[++i];
    } else if (name == "--trace" && i + 2 < argc) {
      out.trace = argv[++i];
      if (!read_number(argv[++i], out.seed)) {
        return std::nullopt;
      }
    } else if (std::uint64_t* const value = name == "--seeds"     ? &out.seeds
                                            : name == "--from"    ? &out.from
                                            : name == "--threads" ? &out.threads
                                                                  : nullptr;
               value == nullptr || !more || !read_number(argv[++i], *value)) {
      return std::nullopt;
    }
  }
  const bool one = out.search + !out.replay.empty() + !out.trace.empty() == 1;
  const bool known = out.mutant.empty() || find_bug(out.mutant) != nullptr;
  const bool traced = out.trace.empty() || find_bug(out.trace) != nullptr;
  return one && known && traced && out.threads >= 1 && out.threads <= 256 ? std::optional(out)
                                                                          : std::nullopt;
}

int conclude(std::size_t missed, std::size_t of) {
  fmt::print("{} passed, {} failed\n", of - missed, missed);
  return missed == 0 ? 0 : 1;
}

int search(const Arguments& arguments) {
  KnownSeeds seeds;
  std::size_t missed = 0;
  fmt::print("| Bug | What it does | Seed | Found as |\n|---|---|---|---|\n");
  for (const Bug& bug : catalogue()) {
    if (!arguments.mutant.empty() && bug.name != arguments.mutant) {
      continue;
    }
    const auto found = hunt(bug.mutant, arguments.from, arguments.seeds, arguments.threads);
    missed += found ? 0 : 1;
    if (found) {
      seeds.emplace(bug.name, *found);
    }
    fmt::print("| {} | {} | {} | {} |\n", bug.name, bug.what,
               found ? fmt::format("{}", found->seed) : "none",
               found ? found->violation : fmt::format("{} seeds", arguments.seeds));
    std::fflush(stdout);
  }
  if (!arguments.record.empty()) {
    std::ofstream(arguments.record) << write_seeds(seeds);
  }
  return conclude(missed, arguments.mutant.empty() ? catalogue().size() : 1);
}

int replay(const Arguments& arguments) {
  std::stringstream text;
  text << std::ifstream(arguments.replay).rdbuf();
  const Result<KnownSeeds> known = read_seeds(text.str());
  if (!known) {
    fmt::print(stderr, "{}: {}; record anew: sim_mutants --search --record {}\n", arguments.replay,
               known.error().message, arguments.replay);
    return 2;
  }
  std::size_t missed = 0;
  for (const Bug& bug : catalogue()) {
    const std::uint64_t seed = known->find(bug.name)->second.seed;
    const auto found = hunt(bug.mutant, seed, kReplaySeeds, arguments.threads);
    if (!found) {
      fmt::print("{}: not found by {} seeds from {} on\n", bug.name, kReplaySeeds, seed);
    }
    missed += found ? 0 : 1;
  }
  return conclude(missed, catalogue().size());
}

int trace(const Arguments& arguments) {
  const auto violation = violation_with(find_bug(arguments.trace)->mutant, arguments.seed, true);
  fmt::print("{} with seed {}: {}\n", arguments.trace, arguments.seed,
             violation.value_or("no violation"));
  return violation ? 1 : 0;
}

}  // namespace
}  // namespace ringside::sim

int main(int argc, char** argv) {
  const auto arguments = ringside::sim::parse(argc, argv);
  if (!arguments) {
    fmt::print(
        stderr,
        "usage: sim_mutants --search [--mutant NAME] [--seeds N] [--from SEED] [--threads T] "
        "[--record FILE] | --replay FILE [--threads T] | --trace NAME SEED\n");
    return 2;
  }
  ringside::set_check_handler([](const char* file, int line, const char* condition) {
    ringside::sim::violate("CHECK({}) failed at {}:{}", condition, file, line);
  });
  if (arguments->search) {
    return ringside::sim::search(*arguments);
  }
  return arguments->trace.empty() ? ringside::sim::replay(*arguments)
                                  : ringside::sim::trace(*arguments);
}
