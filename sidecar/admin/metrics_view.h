// The text of /metrics: workers' counters beside what the published snapshot says of ring,
// endpoints and breakers. Any thread.
#pragma once

#include <span>
#include <string>

#include "config/base/time.h"
#include "sidecar/admin/published.h"
#include "sidecar/metrics/instruments.h"
#include "sidecar/metrics/worker_metrics.h"

namespace ringside::admin {

std::string metrics_text(const Snapshot& snapshot,
                         std::span<const metrics::WorkerMetrics* const> loops,
                         const metrics::Histogram& commit_duration);

}  // namespace ringside::admin
