// The text of /metrics: the counters of all loops summed, beside samples that the caller hands in.
//
// Called by sidecar/admin's thread with a snapshot; holds no worker up but for one that makes a
// new upstream while the table is copied. Names and labels are those of the product's list; HELP
// and TYPE are always there, also for a family without samples. Label values must be UTF-8 (they
// are names, addresses and words of ours); they are escaped.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sidecar/metrics/worker_metrics.h"

namespace ringside::metrics {

// As in `role` of /v1/ring.
enum class RingRole : std::uint8_t { kLooking, kLeading, kFollowing, kObserving };

// The ring as the control loop sees it; published by it as a value.
struct RingSample {
  RingRole role = RingRole::kLooking;
  std::uint64_t epoch = 0;
  std::uint64_t elections = 0;  // total since start
  std::uint64_t applied_zxid = 0;
  Histogram::Values commit_duration;
  double view_age_seconds = 0;
  std::uint64_t sessions = 0;
  std::uint64_t znodes = 0;
  std::uint64_t watches = 0;
};

// How many endpoints of an upstream are in a state (`up`, `unhealthy`, `draining`).
struct UpstreamEndpointsSample {
  std::string upstream;
  std::string state;
  std::uint64_t count = 0;
};

// ringside_circuit_breaker_state: the values are the metric's.
enum class BreakerState : std::uint8_t { kClosed = 0, kHalfOpen = 1, kOpen = 2 };

struct EndpointSample {
  std::string upstream;
  std::string endpoint;  // host:port
  BreakerState breaker = BreakerState::kClosed;
};

struct BreakerTransitionsSample {
  std::string upstream;
  BreakerState to = BreakerState::kClosed;
  std::uint64_t total = 0;
};

struct BuildInfo {
  std::string version;
  std::string revision;  // empty: left out
};

struct Sources {
  std::vector<const WorkerMetrics*> loops;  // workers and the control loop
  std::optional<RingSample> ring;           // none: another engine
  std::vector<UpstreamEndpointsSample> endpoints;
  std::vector<EndpointSample> breakers;
  std::vector<BreakerTransitionsSample> transitions;
  BuildInfo build;
};

// Content-Type of what scrape() returns.
inline constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

std::string scrape(const Sources& sources);

}  // namespace ringside::metrics
