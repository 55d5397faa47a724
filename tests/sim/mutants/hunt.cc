#include "tests/sim/mutants/hunt.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/sim/world.h"

namespace ringside::sim {

std::optional<std::string> violation_with(coord::Mutant mutant, std::uint64_t seed, bool trace) {
  coord::mutants::chosen = mutant;
  std::optional<std::string> violation;
  try {
    World world(seed, trace);
    world.run();
  } catch (const std::exception& error) {
    violation = error.what();
  }
  coord::mutants::chosen = coord::Mutant::kNone;
  return violation;
}

std::optional<Found> hunt(coord::Mutant mutant, std::uint64_t from, std::uint64_t seeds,
                          std::uint64_t threads) {
  std::atomic<std::uint64_t> next = from;
  std::atomic<std::uint64_t> end = from + seeds;  // comes nearer when one is found
  std::mutex mutex;
  std::optional<Found> first;
  const auto work = [&] {
    for (std::uint64_t seed = next++; seed < end; seed = next++) {
      auto violation = violation_with(mutant, seed, false);
      if (violation && violation_with(coord::Mutant::kNone, seed, false)) {
        continue;  // it says nothing about the bug
      }
      const std::scoped_lock lock(mutex);
      if (violation && (!first || seed < first->seed)) {
        first = Found{seed, std::move(*violation)};
        end = seed;
      }
    }
  };
  std::vector<std::thread> workers;
  for (std::uint64_t i = 0; i < threads; ++i) {
    workers.emplace_back(work);
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  return first;
}

}  // namespace ringside::sim
