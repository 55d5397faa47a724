// What all connections of one worker share.
//
// Owned by Worker, used on its thread only (but metrics, which the scraper reads, and access, which
// locks). Settings and view are replaced between callbacks, never inside one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "balancer/limits/permit_gate.h"
#include "balancer/view.h"
#include "config/base/error.h"
#include "config/base/rng.h"
#include "config/settings.h"
#include "sidecar/http/step.h"
#include "sidecar/metrics/worker_metrics.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/timer.h"
#include "sidecar/proxy/access.h"
#include "sidecar/proxy/deadlines.h"
#include "sidecar/proxy/gather.h"
#include "sidecar/proxy/pool.h"
#include "sidecar/proxy/routed_mark.h"
#include "sidecar/proxy/servings.h"
#include "sidecar/proxy/strangers.h"

namespace ringside::proxy {

// What a worker lets callers take of it, and holds for them. Not settings: nobody should need
// others.
struct Bounds {
  std::size_t connections = 10'000;  // callers at a time, per worker
  milliseconds head{30'000};         // from a request's first byte to the end of its head
  milliseconds linger{2'000};        // reading on behind an answer that ends a connection
  IdleBounds idle;                   // upstream connections that wait for their next use
};

struct WorkerContext {
  WorkerContext(net::Loop& its_loop, std::shared_ptr<const config::Settings> its_settings,
                std::string own_instance, const Bounds& its_bounds, std::uint64_t seed,
                metrics::WorkerMetrics& its_metrics, AccessQueue& its_access);

  // Arms `entry` and sees to it that the wheel is turned in time.
  void arm(Deadlines::Entry& entry, Instant due);
  // Tells the log what no answer can tell a caller. One line a second at most, the others counted.
  void tell(std::string message);

  net::Loop& loop;
  std::shared_ptr<const config::Settings> settings;
  const std::string instance;  // ours in the registry
  const Bounds bounds;
  balancer::View view;
  RoutedMark routed;  // of the tables that were in `view`
  Rng rng;
  metrics::WorkerMetrics& metrics;
  AccessQueue& access;
  const http::Limits limits;
  balancer::PermitInbox permits;  // for this worker's calls that wait
  // Asks the other workers to close an idle connection to that host, since a call here waits.
  std::function<void(const std::shared_ptr<balancer::Host>&)> ask_for_idle;
  Pools pools;
  Servings servings;
  Strangers strangers;
  Gather to_upstream;
  Gather to_downstream;
  std::string scratch;    // for bodies of own answers
  bool draining = false;  // inbound says so and closes after each response
  bool refusing = false;  // inbound takes nothing more: its app is about to end
  bool stopping = false;  // so do all
  std::function<void(const Error&)> on_trouble;  // may be empty

 private:
  void turn_wheel();

  Deadlines deadlines_;
  net::Timer wheel_;
  Instant wheel_due_ = kNever;
  Instant tell_from_{};
  std::uint64_t untold_ = 0;
};

}  // namespace ringside::proxy
