#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "sidecar/metrics/worker_metrics.h"

namespace ringside::metrics {
namespace {

std::size_t bucket_of(Duration elapsed) {
  Histogram histogram;
  histogram.record(elapsed);
  const Histogram::Values values = histogram.values();
  CHECK(values.count() == 1);
  return static_cast<std::size_t>(std::ranges::find(values.counts, 1U) - values.counts.begin());
}

}  // namespace

TEST_CASE("EachBoundIsInclusiveAndOneNanosecondMoreIsTheNextBucket") {
  for (std::size_t i = 0; i < kBucketBounds.size(); ++i) {
    const auto bound = microseconds(kBucketBounds[i]);
    CHECK(bucket_of(bound) == i);
    CHECK(bucket_of(bound + nanoseconds(1)) == i + 1);
  }
}

TEST_CASE("EveryDurationFindsTheBucketThatASearchFinds") {
  for (std::uint64_t us = 0; us < 200'000; us += 7) {
    const auto* found = std::ranges::lower_bound(kBucketBounds, us);
    REQUIRE(bucket_of(microseconds(us)) == static_cast<std::size_t>(found - kBucketBounds.begin()));
  }
  CHECK(bucket_of(Duration::max()) == kBucketBounds.size());
}

TEST_CASE("ANegativeDurationCountsAsZero") {
  Histogram histogram;
  histogram.record(Duration(-5));
  CHECK(histogram.values().counts[0] == 1);
  CHECK(histogram.values().sum_ns == 0);
}

TEST_CASE("HistogramsAddUp") {
  Histogram a;
  Histogram b;
  a.record(milliseconds(1));
  b.record(milliseconds(2));
  b.record(seconds(100));
  Histogram::Values sum = a.values();
  sum += b.values();
  CHECK(sum.count() == 3);
  CHECK(sum.sum_ns == 100'003'000'000);
}

TEST_CASE("EachStatusHasItsOwnCounter") {
  CodeCounters counters;
  for (const int status : {100, 199, 200, 200, 404, 599, 600, 99, -1, 0}) {
    counters.add(status);
  }
  std::map<int, std::uint64_t> sums{{200, 5}};
  counters.collect(sums);
  CHECK(sums ==
        std::map<int, std::uint64_t>{{0, 4}, {100, 1}, {199, 1}, {200, 7}, {404, 1}, {599, 1}});
}

TEST_CASE("WordsAreKeptByValueAndBounded") {
  WordCounters counters;
  for (int i = 0; i < 20; ++i) {
    counters.add("word_" + std::to_string(i));
  }
  counters.add("word_0");
  counters.add(std::string(WordCounters::kMaxWord + 1, 'x'));
  std::map<std::string, std::uint64_t, std::less<>> sums;
  counters.collect(sums);
  CHECK(sums.size() == WordCounters::kSlots + 1);
  CHECK(sums["word_0"] == 2);
  CHECK(sums["word_15"] == 1);
  CHECK(sums["other"] == 5);
}

TEST_CASE("EveryBrokenRuleHasRoom") {
  ReasonCounters counters;
  for (std::size_t i = 0; i < ReasonCounters::kSlots; ++i) {
    counters.add("rule_" + std::to_string(i));
  }
  counters.add("one_more");
  std::map<std::string, std::uint64_t, std::less<>> sums;
  counters.collect(sums);
  CHECK(sums.size() == ReasonCounters::kSlots + 1);
  CHECK(sums["rule_63"] == 1);
  CHECK(sums["other"] == 1);
}

TEST_CASE("AnUpstreamIsMadeOnceAndStaysInPlace") {
  WorkerMetrics worker("worker-0");
  UpstreamStats& orders = worker.upstream("orders");
  for (int i = 0; i < 1000; ++i) {
    worker.upstream("service-" + std::to_string(i));
  }
  CHECK(&worker.upstream("orders") == &orders);
}

TEST_CASE("UpstreamsAreBoundedAndTheRestIsShared") {
  WorkerMetrics worker("worker-0");
  for (std::size_t i = 0; i < kMaxUpstreams; ++i) {
    worker.upstream("service-" + std::to_string(i));
  }
  UpstreamStats& other = worker.upstream("one-more");
  CHECK(&worker.upstream("and-another") == &other);
  CHECK(&worker.upstream(kOtherUpstreams) == &other);
  CHECK(&worker.upstream("service-0") != &other);
  CHECK(&worker.upstream(kUnknownUpstream) != &other);
  CHECK(worker.upstreams().size() == kMaxUpstreams + 2);
}

}  // namespace ringside::metrics
