#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "balancer/policies/smooth_schedule.h"
#include "config/base/rng.h"

namespace ringside::balancer {
namespace {

std::string letters(const std::vector<std::uint32_t>& weights) {
  std::string order;
  for (const std::uint32_t position : smooth_schedule(weights)) {
    order += static_cast<char>('a' + position);
  }
  return order;
}

std::vector<std::uint32_t> counts(const std::vector<std::uint32_t>& schedule, std::size_t hosts) {
  std::vector<std::uint32_t> turns(hosts, 0);
  for (const std::uint32_t position : schedule) ++turns.at(position);
  return turns;
}

// The greatest distance, over all beginnings of the cycle, between a host's turns and its share.
double worst_lag(const std::vector<std::uint32_t>& schedule,
                 const std::vector<std::uint32_t>& weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<double> turns(weights.size(), 0);
  double worst = 0;
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    turns.at(schedule[i]) += 1;
    for (std::size_t host = 0; host < weights.size(); ++host) {
      const double share = static_cast<double>(i + 1) * weights[host] / total;
      worst = std::max(worst, std::abs(turns[host] - share));
    }
  }
  return worst;
}

TEST_CASE("SmoothScheduleIsThatOfNginx") {
  CHECK(letters({5, 1, 1}) == "aabacaa");
  CHECK(letters({3, 1, 1}) == "abaca");
  CHECK(letters({1, 1, 1}) == "abc");
  CHECK(letters({7}) == "a");
  CHECK(letters({}) == "");
}

TEST_CASE("ScheduleDividesWeightsByTheirCommonDivisor") {
  CHECK(letters({300, 100, 100}) == "abaca");
  CHECK(letters({100, 100}) == "ab");
}

TEST_CASE("ScheduleGivesEachHostExactlyItsWeight") {
  Rng rng(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::uint32_t> weights(1 + rng.below(12));
    for (auto& weight : weights) weight = static_cast<std::uint32_t>(rng.between(1, 40));
    weights[0] = 1;  // no common divisor
    const auto schedule = smooth_schedule(weights);
    CHECK(counts(schedule, weights.size()) == weights);
    // Between two turns a host waits no longer than about two of its intervals.
    CHECK(worst_lag(schedule, weights) < 2.0);
  }
}

TEST_CASE("ScheduleOfManyHostsIsExactAndSmoothToo") {
  // 200 hosts x about 20,000 slots is over kMaxExactSteps.
  Rng rng(11);
  std::vector<std::uint32_t> weights(200);
  for (auto& weight : weights) weight = static_cast<std::uint32_t>(rng.between(1, 200));
  weights[0] = 1;
  const auto schedule = smooth_schedule(weights);
  REQUIRE(schedule.size() * weights.size() > kMaxExactSteps);
  CHECK(counts(schedule, weights.size()) == weights);
  CHECK(worst_lag(schedule, weights) < 2.0);
}

TEST_CASE("ScheduleNeverPassesItsLimitAndKeepsEveryHost") {
  Rng rng(13);
  for (const std::size_t hosts : {70UL, 1000UL, 10000UL, 60000UL}) {
    std::vector<std::uint32_t> weights(hosts);
    for (auto& weight : weights) weight = static_cast<std::uint32_t>(rng.between(1, 1000));
    weights[0] = 999;
    weights[1] = 1000;
    const auto schedule = smooth_schedule(weights);
    CHECK(schedule.size() <= kMaxSlots);
    const auto turns = counts(schedule, hosts);
    CHECK(*std::ranges::min_element(turns) >= 1);
  }
}

TEST_CASE("ScaledWeightsKeepTheirRatios") {
  std::vector<std::uint32_t> weights(100, 997);
  weights[0] = 100;
  weights[1] = 1000;
  const auto schedule = smooth_schedule(weights);
  REQUIRE(schedule.size() <= kMaxSlots);
  const auto turns = counts(schedule, weights.size());
  CHECK(static_cast<double>(turns[1]) / turns[0] == doctest::Approx(10).epsilon(0.02));
}

TEST_CASE("MoreHostsThanSlotsGetOneSlotEach") {
  const std::vector<std::uint32_t> weights(kMaxSlots + 5, 3);
  CHECK(smooth_schedule(weights).size() == kMaxSlots + 5);
}

}  // namespace
}  // namespace ringside::balancer
