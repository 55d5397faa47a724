// What a pick costs: one pick and its report for each policy at 3, 100 and 10,000 hosts, beside one
// random read of the same host array and one step of nginx's smooth weighted round robin over as
// many peers; and what a new host set costs.
//
//   cmake --build build/release --target bench_pick && build/release/bench_pick
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "balancer/pick.h"
#include "balancer/routing_table.h"

namespace ringside::balancer {
namespace {

std::vector<Endpoint> endpoints(std::int64_t count) {
  std::vector<Endpoint> made;
  for (std::int64_t i = 0; i < count; ++i) {
    Endpoint one;
    one.service = "orders";
    one.instance = "10.0.0.1-" + std::to_string(10000 + i);
    one.host = "10.0.0.1";
    one.port = static_cast<std::uint16_t>(1 + i);
    one.weight = static_cast<int>(1 + i % 10);
    made.push_back(std::move(one));
  }
  return made;
}

std::shared_ptr<const RoutingTable> table_of(std::int64_t hosts, config::Balance balance) {
  Rng rng(1);
  config::Settings settings;
  settings.defaults.balance = balance;
  return build_table(nullptr, endpoints(hosts), settings, 1, rng);
}

// Calls overlap as in a proxy: a pick is reported kHeld picks later.
void pick_and_report(benchmark::State& state, config::Balance balance) {
  constexpr std::size_t kHeld = 64;
  const auto table = table_of(state.range(0), balance);
  const Upstream& upstream = *table->find("orders");
  Rng rng(2);
  std::vector<Pick> held(kHeld);
  std::size_t turn = 0;
  Instant now{seconds{1000}};
  for (auto _ : state) {
    now += microseconds{10};
    Pick& place = held[turn++ % kHeld];
    if (place.host != nullptr) report(place, Outcome::kSuccess, milliseconds{1}, now);
    place = *pick(upstream, {.now = now, .rng = rng});
  }
}

void random_read(benchmark::State& state) {
  const auto table = table_of(state.range(0), config::Balance::kRoundRobin);
  const auto hosts = table->find("orders")->candidates();
  Rng rng(2);
  for (auto _ : state) benchmark::DoNotOptimize(hosts[rng.below(hosts.size())].host->in_flight());
}

void nginx_step(benchmark::State& state) {
  const auto peers = static_cast<std::size_t>(state.range(0));
  std::vector<std::int64_t> current(peers, 0);
  std::vector<std::int64_t> weight(peers);
  for (std::size_t i = 0; i < peers; ++i) weight[i] = static_cast<std::int64_t>(1 + i % 10);
  for (auto _ : state) {
    std::int64_t sum = 0;
    std::size_t best = 0;
    for (std::size_t i = 0; i < peers; ++i) {
      current[i] += weight[i];
      sum += weight[i];
      if (current[i] > current[best]) best = i;
    }
    current[best] -= sum;
    benchmark::DoNotOptimize(best);
  }
}

// One instance more or less, the others kept.
void host_set_swap(benchmark::State& state) {
  Rng rng(1);
  config::Settings settings;
  settings.defaults.balance = config::Balance::kWeighted;
  auto table = build_table(nullptr, endpoints(state.range(0)), settings, 1, rng);
  std::int64_t turn = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto next = endpoints(state.range(0) + ++turn % 2);
    state.ResumeTiming();
    table = build_table(table.get(), std::move(next), settings, 1, rng);
  }
}

void sizes(benchmark::internal::Benchmark* one) {
  one->Arg(3)->Arg(100)->Arg(10000);
}

BENCHMARK_CAPTURE(pick_and_report, round_robin, config::Balance::kRoundRobin)->Apply(sizes);
BENCHMARK_CAPTURE(pick_and_report, weighted, config::Balance::kWeighted)->Apply(sizes);
BENCHMARK_CAPTURE(pick_and_report, least_connection, config::Balance::kLeastConnection)
    ->Apply(sizes);
BENCHMARK(random_read)->Apply(sizes);
BENCHMARK(nginx_step)->Apply(sizes);
BENCHMARK(host_set_swap)->Apply(sizes)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace ringside::balancer

BENCHMARK_MAIN();
