// The admin port: JSON of the admin API, /metrics, /healthz, /readyz, /v1/znode.
//
// Owned by sidecar/app; serves on cpp-httplib's own few threads, which read published snapshots and
// workers' counters, post to the control loop by Control, and touch nothing else. Good path:
// start() binds and serves until stop() or destruction. Failure path: the port cannot be bound (an
// Error that names it). Slow, silent and many clients: see bounded_server.h.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "config/base/error.h"
#include "config/settings.h"
#include "sidecar/admin/control.h"
#include "sidecar/admin/published.h"
#include "sidecar/metrics/instruments.h"
#include "sidecar/metrics/worker_metrics.h"

namespace ringside::admin {

struct AdminSources {
  const Published* published = nullptr;                 // outlives the server
  std::vector<const metrics::WorkerMetrics*> loops;     // likewise
  const metrics::Histogram* commit_duration = nullptr;  // likewise
  std::function<Instant()> now;                         // any thread
  Control* control = nullptr;                           // outlives the server
};

class AdminServer {
 public:
  // /healthz fails when the control loop has not published for that long.
  static constexpr seconds kLoopSilent{5};

  AdminServer(config::Address listen, AdminSources sources);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  Status start();
  void stop();
  [[nodiscard]] std::uint16_t port() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringside::admin
