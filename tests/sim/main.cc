// sim --seeds N --from FIRST_SEED [--threads T] | --trace SEED
//
// Runs each seed in a world of its own, on as many threads as asked for; one seed is one thread's
// and depends on nothing else. Exit 0: no violation; 1: at least one, with the seed and how to
// replay it; 2: wrong usage.
#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "config/base/check.h"
#include "tests/sim/world.h"

namespace ringside::sim {
namespace {

struct Arguments {
  std::uint64_t seeds = 100;
  std::uint64_t from = 1;
  std::uint64_t threads = 2;
  std::optional<std::uint64_t> trace;
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && rest == text.data() + text.size() ? std::optional(value)
                                                                   : std::nullopt;
}

std::optional<Arguments> parse(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const auto value = i + 1 < argc ? number(argv[i + 1]) : std::nullopt;
    if (!value) {
      return std::nullopt;
    }
    if (name == "--seeds") {
      out.seeds = *value;
    } else if (name == "--from") {
      out.from = *value;
    } else if (name == "--threads" && *value >= 1 && *value <= 256) {
      out.threads = *value;
    } else if (name == "--trace") {
      out.trace = *value;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

// What was violated, or nothing.
std::optional<std::string> run_seed(std::uint64_t seed, bool trace, RunStats& stats) {
  try {
    World world(seed, trace);
    stats = world.run();
    return std::nullopt;
  } catch (const std::exception& error) {
    return error.what();
  }
}

class Campaign {
 public:
  explicit Campaign(const Arguments& arguments) : arguments_(arguments), next_(arguments.from) {}

  int run() {
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < arguments_.threads; ++i) {
      threads.emplace_back([this] { work(); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    report(took);
    return failures_ == 0 ? 0 : 1;
  }

 private:
  void work() {
    while (true) {
      const std::uint64_t seed = next_++;
      if (seed >= arguments_.from + arguments_.seeds) {
        return;
      }
      RunStats stats;
      const auto violation = run_seed(seed, false, stats);
      const std::scoped_lock lock(mutex_);
      if (violation) {
        ++failures_;
        fmt::print("seed {}: {}\n  replay: ./tests/sim/run --trace {}\n", seed, *violation, seed);
        std::fflush(stdout);
        continue;
      }
      add(stats);
    }
  }

  void add(const RunStats& stats) {
    total_.steps += stats.steps;
    total_.operations += stats.operations;
    total_.answered += stats.answered;
    total_.transactions += stats.transactions;
    total_.expired += stats.expired;
    total_.faults += stats.faults;
    total_.simulated_seconds += stats.simulated_seconds;
    fewest_operations_ = std::min(fewest_operations_, stats.operations);
  }

  void report(double took) const {
    fmt::print(
        "{} seeds from {}, {} violations; {:.1f} s, {:.0f} seeds/min, {:.0f} simulated hours/hour\n"
        "{} operations ({} answered, at least {} in a seed), {} transactions, {} expired sessions, "
        "{} faults, {} steps\n",
        arguments_.seeds, arguments_.from, failures_, took,
        static_cast<double>(arguments_.seeds) * 60 / took, total_.simulated_seconds / took,
        total_.operations, total_.answered, fewest_operations_, total_.transactions, total_.expired,
        total_.faults, total_.steps);
  }

  Arguments arguments_;
  std::atomic<std::uint64_t> next_;
  std::mutex mutex_;
  std::uint64_t failures_ = 0;
  std::uint64_t fewest_operations_ = ~std::uint64_t{0};
  RunStats total_;
};

int trace_one(std::uint64_t seed) {
  RunStats stats;
  const auto violation = run_seed(seed, true, stats);
  fmt::print("seed {}: {}\n", seed, violation.value_or("no violation"));
  return violation ? 1 : 0;
}

}  // namespace
}  // namespace ringside::sim

int main(int argc, char** argv) {
  const auto arguments = ringside::sim::parse(argc, argv);
  if (!arguments) {
    fmt::print(stderr, "usage: sim --seeds N --from FIRST_SEED [--threads T] | --trace SEED\n");
    return 2;
  }
  ringside::set_check_handler([](const char* file, int line, const char* condition) {
    ringside::sim::violate("CHECK({}) failed at {}:{}", condition, file, line);
  });
  if (arguments->trace) {
    return ringside::sim::trace_one(*arguments->trace);
  }
  return ringside::sim::Campaign(*arguments).run();
}
