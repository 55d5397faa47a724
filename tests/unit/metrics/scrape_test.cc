#include <doctest/doctest.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "sidecar/metrics/scrape.h"

namespace ringside::metrics {
namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

// Two workers, a control loop and one sample of everything.
struct Example {
  WorkerMetrics first{"worker-0"};
  WorkerMetrics second{"worker-1"};
  WorkerMetrics control{"control"};

  Example() {
    UpstreamStats& orders = first.upstream("orders");
    orders.requests.add(200);
    orders.requests.add(503);
    orders.errors.add("no_endpoints");
    orders.retries.add("connect_failure");
    orders.duration.record(milliseconds(3));
    orders.in_flight.add(2);
    orders.pending.add(3);
    UpstreamStats& same = second.upstream("orders");
    same.requests.add(200);
    same.duration.record(milliseconds(30));
    same.in_flight.add(-1);
    same.pending.add(1);
    second.upstream(kUnknownUpstream).requests.add(503);
    second.inbound.requests.add(421);
    first.bad_requests.add("both_lengths");
    second.bad_requests.add("both_lengths");
    second.bad_responses.add("bad_chunk");
    second.inbound.duration.record(seconds(61));
    second.inbound.in_flight.set(3);
    control.loop_turn.record(microseconds(50));
  }

  [[nodiscard]] Sources sources() const {
    Sources made;
    made.loops = {&first, &second, &control};
    RingSample ring;
    ring.role = RingRole::kLeading;
    ring.epoch = 3;
    ring.elections = 4;
    ring.applied_zxid = (std::uint64_t{3} << 32U) + 7;
    ring.view_age_seconds = 0.25;
    ring.sessions = 5;
    ring.znodes = 6;
    ring.watches = 7;
    made.ring = ring;
    made.endpoints = {{"orders", "up", 3}, {"orders", "draining", 1}};
    made.breakers = {{"orders", "10.0.0.5:8080", BreakerState::kHalfOpen}};
    made.transitions = {{"orders", BreakerState::kOpen, 9}};
    made.build = {"0.1.0", "abc"};
    return made;
  }
};

}  // namespace

TEST_CASE("CountersOfAllWorkersAreSummed") {
  const Example example;
  const std::string text = scrape(example.sources());
  for (
      const char* line : {
          R"x(ringside_upstream_requests_total{upstream="orders",code="200"} 2)x",
          R"x(ringside_upstream_requests_total{upstream="orders",code="503"} 1)x",
          R"x(ringside_upstream_requests_total{upstream="(unknown)",code="503"} 1)x",
          R"x(ringside_upstream_errors_total{upstream="orders",cause="no_endpoints"} 1)x",
          R"x(ringside_upstream_retries_total{upstream="orders",reason="connect_failure"} 1)x",
          R"x(ringside_upstream_requests_in_flight{upstream="orders"} 1)x",
          R"x(ringside_upstream_requests_pending{upstream="orders"} 4)x",
          R"x(ringside_upstream_request_duration_seconds_count{upstream="orders"} 2)x",
          R"x(ringside_upstream_request_duration_seconds_sum{upstream="orders"} 0.033)x",
          R"x(ringside_upstream_request_duration_seconds_bucket{upstream="orders",le="0.0025"} 0)x",
          R"x(ringside_upstream_request_duration_seconds_bucket{upstream="orders",le="0.005"} 1)x",
          R"x(ringside_upstream_request_duration_seconds_bucket{upstream="orders",le="+Inf"} 2)x",
          R"x(ringside_inbound_requests_total{code="421"} 1)x",
          R"x(ringside_bad_requests_total{reason="both_lengths"} 2)x",
          R"x(ringside_bad_responses_total{reason="bad_chunk"} 1)x",
          R"x(ringside_inbound_requests_in_flight 3)x",
          R"x(ringside_inbound_request_duration_seconds_bucket{le="60"} 0)x",
          R"x(ringside_inbound_request_duration_seconds_bucket{le="+Inf"} 1)x",
          R"x(ringside_loop_turn_seconds_count{loop="control"} 1)x",
          R"x(ringside_loop_turn_seconds_count{loop="worker-0"} 0)x",
      }) {
    CAPTURE(line);
    CHECK(has_line(text, line));
  }
}

TEST_CASE("SamplesOfTheCallerAreShown") {
  const Example example;
  const std::string text = scrape(example.sources());
  for (const char* line : {
           R"(ringside_upstream_endpoints{upstream="orders",state="up"} 3)",
           R"(ringside_circuit_breaker_state{upstream="orders",endpoint="10.0.0.5:8080"} 1)",
           R"(ringside_circuit_breaker_transitions_total{upstream="orders",to="open"} 9)",
           R"(ringside_ring_role{role="leading"} 1)",
           R"(ringside_ring_role{role="looking"} 0)",
           R"(ringside_ring_role{role="following"} 0)",
           R"(ringside_ring_role{role="observing"} 0)",
           R"(ringside_ring_epoch 3)",
           R"(ringside_ring_elections_total 4)",
           R"(ringside_ring_applied_zxid 12884901895)",
           R"(ringside_ring_view_age_seconds 0.25)",
           R"(ringside_ring_sessions 5)",
           R"(ringside_ring_znodes 6)",
           R"(ringside_ring_watches 7)",
           R"(ringside_ring_commit_duration_seconds_count 0)",
           R"(ringside_build_info{version="0.1.0",revision="abc"} 1)",
       }) {
    CAPTURE(line);
    CHECK(has_line(text, line));
  }
}

TEST_CASE("TheNamesAreThoseOfTheProductAndEachHasHelp") {
  const Example example;
  std::istringstream lines(scrape(example.sources()));
  std::set<std::string> names;
  std::set<std::string> with_help;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string mark;
    std::string keyword;
    std::string name;
    words >> mark >> keyword >> name;
    if (mark == "#" && keyword == "TYPE") {
      names.insert(name);
    } else if (mark == "#" && keyword == "HELP") {
      with_help.insert(name);
    }
  }
  const std::set<std::string> expected = {"ringside_upstream_requests_total",
                                          "ringside_upstream_request_duration_seconds",
                                          "ringside_upstream_requests_in_flight",
                                          "ringside_upstream_requests_pending",
                                          "ringside_upstream_errors_total",
                                          "ringside_upstream_retries_total",
                                          "ringside_upstream_endpoints",
                                          "ringside_circuit_breaker_state",
                                          "ringside_circuit_breaker_transitions_total",
                                          "ringside_inbound_requests_total",
                                          "ringside_bad_requests_total",
                                          "ringside_bad_responses_total",
                                          "ringside_inbound_request_duration_seconds",
                                          "ringside_inbound_requests_in_flight",
                                          "ringside_ring_role",
                                          "ringside_ring_epoch",
                                          "ringside_ring_elections_total",
                                          "ringside_ring_applied_zxid",
                                          "ringside_ring_commit_duration_seconds",
                                          "ringside_ring_view_age_seconds",
                                          "ringside_ring_sessions",
                                          "ringside_ring_znodes",
                                          "ringside_ring_watches",
                                          "ringside_loop_turn_seconds",
                                          "ringside_build_info"};
  CHECK(names == expected);
  CHECK(with_help == expected);
}

TEST_CASE("AnotherEngineHasNoRingMetrics") {
  const Example example;
  Sources sources = example.sources();
  sources.ring.reset();
  CHECK(scrape(sources).find("ringside_ring_") == std::string::npos);
}

TEST_CASE("LabelValuesAreEscaped") {
  WorkerMetrics worker("a\"b\\c\nd");
  Sources sources;
  sources.loops = {&worker};
  CHECK(scrape(sources).find(R"(ringside_loop_turn_seconds_count{loop="a\"b\\c\nd"} 0)") !=
        std::string::npos);
}

TEST_CASE("PromtoolHasNothingToSay") {
  if (system("command -v promtool >/dev/null 2>&1") != 0) {
    MESSAGE("promtool is not installed (Debian: prometheus); nothing was checked");
    return;
  }
  const Example example;
  std::string said;
  const std::string path = "promtool_check_" + std::to_string(getpid()) + ".txt";
  std::ofstream(path) << scrape(example.sources());
  FILE* tool = popen(("promtool check metrics <" + path + " 2>&1").c_str(), "r");
  REQUIRE(tool != nullptr);
  for (int c = 0; (c = fgetc(tool)) != EOF;) {
    said.push_back(static_cast<char>(c));
  }
  CHECK(pclose(tool) == 0);
  CHECK(said == "");
  CHECK(std::remove(path.c_str()) == 0);
}

TEST_CASE("AScrapeBesideAWritingWorkerSeesOnlyGrowingSums") {
  constexpr int kRounds = 20'000;
  WorkerMetrics worker("worker-0");
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < kRounds; ++i) {
      UpstreamStats& stats = worker.upstream("service-" + std::to_string(i % 50));
      stats.requests.add(100 + i % 500);
      stats.errors.add(i % 2 == 0 ? "reset" : "timeout");
      stats.duration.record(microseconds(i));
      stats.in_flight.add(i % 2 == 0 ? 1 : -1);
      worker.inbound.requests.add(200);
      worker.loop_turn.record(microseconds(i));
    }
    done = true;
  });
  Sources sources;
  sources.loops = {&worker};
  std::uint64_t before = 0;
  bool falling = false;
  while (!done) {
    std::map<int, std::uint64_t> codes;
    worker.inbound.requests.collect(codes);
    falling = falling || codes[200] < before;
    before = codes[200];
    falling = falling || scrape(sources).empty();
  }
  writer.join();
  CHECK_FALSE(falling);
  CHECK(has_line(scrape(sources), R"(ringside_inbound_requests_total{code="200"} 20000)"));
  CHECK(has_line(scrape(sources),
                 R"(ringside_upstream_errors_total{upstream="service-1",cause="timeout"} 400)"));
}

}  // namespace ringside::metrics
