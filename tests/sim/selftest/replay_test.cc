// A seed is a run: it happens again byte by byte, traced or not, and its trace can be read.
#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "tests/sim/world.h"

namespace ringside::sim {

namespace {

constexpr std::uint64_t kSeeds[] = {1, 2, 77};

std::string trace_of(std::uint64_t seed, RunStats& stats) {
  std::string text;
  World world(seed, true, &text);
  stats = world.run();
  return text;
}

}  // namespace

TEST_CASE("ASeedReplaysByteByByte") {
  for (const std::uint64_t seed : kSeeds) {
    CAPTURE(seed);
    RunStats first;
    RunStats second;
    const std::string text = trace_of(seed, first);
    CHECK(text.size() > 10'000);
    CHECK(text == trace_of(seed, second));
    RunStats quiet = World(seed, false).run();
    CHECK(quiet.steps == first.steps);
    CHECK(quiet.transactions == first.transactions);
  }
}

TEST_CASE("ATraceHasATimeAndFewWordsPerLine") {
  constexpr std::size_t kLongest = 300;
  RunStats stats;
  std::istringstream lines(trace_of(kSeeds[0], stats));
  double before = 0;
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    const double when = std::stod(line);
    CHECK(when >= before);
    before = when;
    CHECK(line.size() < kLongest);
    CHECK(std::ranges::all_of(line, [](char letter) { return letter >= ' ' && letter <= '~'; }));
  }
}

}  // namespace ringside::sim
