// The only file that sees prometheus-cpp.
#include "sidecar/metrics/scrape.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>
#include <utility>

namespace ringside::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// One upstream, summed over all loops.
struct UpstreamSum {
  std::map<int, std::uint64_t> requests;
  std::map<std::string, std::uint64_t, std::less<>> errors;
  std::map<std::string, std::uint64_t, std::less<>> retries;
  Histogram::Values duration;
  std::int64_t in_flight = 0;
  std::int64_t pending = 0;
};

struct InboundSum {
  std::map<int, std::uint64_t> requests;
  Histogram::Values duration;
  std::int64_t in_flight = 0;
};

// A page of families; samples go to the family begun last.
class Page {
 public:
  void begin(MetricType type, const char* name, const char* help) {
    MetricFamily family;
    family.name = name;
    family.help = help;
    family.type = type;
    families_.push_back(std::move(family));
  }

  void number(Labels labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.counter.value = value;
    metric.gauge.value = value;
    families_.back().metric.push_back(std::move(metric));
  }
  void number(Labels labels, std::uint64_t value) {
    number(std::move(labels), static_cast<double>(value));
  }

  void histogram(Labels labels, const Histogram::Values& values) {
    constexpr double kMicrosecondsPerSecond = 1e6;
    constexpr double kNanosecondsPerSecond = 1e9;
    ClientMetric metric;
    metric.label = std::move(labels);
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
      cumulative += values.counts[i];
      const double bound = i < kBucketBounds.size()
                               ? static_cast<double>(kBucketBounds[i]) / kMicrosecondsPerSecond
                               : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({cumulative, bound});
    }
    metric.histogram.sample_count = cumulative;
    metric.histogram.sample_sum = static_cast<double>(values.sum_ns) / kNanosecondsPerSecond;
    families_.back().metric.push_back(std::move(metric));
  }

  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return std::move(out).str();
  }

 private:
  std::vector<MetricFamily> families_;
};

std::string code_label(int code) {
  return code == 0 ? "other" : std::to_string(code);
}

const char* to_label(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed: return "closed";
    case BreakerState::kHalfOpen: return "half_open";
    case BreakerState::kOpen: return "open";
  }
  return "unknown";
}

std::map<std::string, UpstreamSum, std::less<>> sum_upstreams(const Sources& sources) {
  std::map<std::string, UpstreamSum, std::less<>> sums;
  for (const WorkerMetrics* loop : sources.loops) {
    for (const WorkerMetrics::NamedStats& upstream : loop->upstreams()) {
      UpstreamSum& sum = sums[std::string(upstream.name)];
      upstream.stats->requests.collect(sum.requests);
      upstream.stats->errors.collect(sum.errors);
      upstream.stats->retries.collect(sum.retries);
      sum.duration += upstream.stats->duration.values();
      sum.in_flight += upstream.stats->in_flight.value();
      sum.pending += upstream.stats->pending.value();
    }
  }
  return sums;
}

void add_upstream_counts(const std::map<std::string, UpstreamSum, std::less<>>& sums, Page& page) {
  page.begin(MetricType::Counter, "ringside_upstream_requests_total",
             "Exchanges with an upstream, by the exact status that the caller got.");
  for (const auto& [name, sum] : sums) {
    for (const auto& [code, count] : sum.requests) {
      page.number({{"upstream", name}, {"code", code_label(code)}}, count);
    }
  }
  page.begin(MetricType::Counter, "ringside_upstream_errors_total",
             "Exchanges with an upstream that the proxy itself answered, by cause.");
  for (const auto& [name, sum] : sums) {
    for (const auto& [cause, count] : sum.errors) {
      page.number({{"upstream", name}, {"cause", cause}}, count);
    }
  }
  page.begin(MetricType::Counter, "ringside_upstream_retries_total",
             "Tries after the first one, by what the try before ended in.");
  for (const auto& [name, sum] : sums) {
    for (const auto& [reason, count] : sum.retries) {
      page.number({{"upstream", name}, {"reason", reason}}, count);
    }
  }
}

void add_upstream_values(const std::map<std::string, UpstreamSum, std::less<>>& sums, Page& page) {
  page.begin(MetricType::Histogram, "ringside_upstream_request_duration_seconds",
             "Time from the request's head to the response's end, all tries included.");
  for (const auto& [name, sum] : sums) {
    page.histogram({{"upstream", name}}, sum.duration);
  }
  page.begin(MetricType::Gauge, "ringside_upstream_requests_in_flight",
             "Exchanges with an upstream that are under way.");
  for (const auto& [name, sum] : sums) {
    page.number({{"upstream", name}}, static_cast<double>(sum.in_flight));
  }
  page.begin(MetricType::Gauge, "ringside_upstream_requests_pending",
             "Of those, exchanges that wait for room within the upstream's limits.");
  for (const auto& [name, sum] : sums) {
    page.number({{"upstream", name}}, static_cast<double>(sum.pending));
  }
}

void add_endpoints(const Sources& sources, Page& page) {
  page.begin(MetricType::Gauge, "ringside_upstream_endpoints",
             "Known endpoints of an upstream, by state.");
  for (const UpstreamEndpointsSample& sample : sources.endpoints) {
    page.number({{"upstream", sample.upstream}, {"state", sample.state}}, sample.count);
  }
  page.begin(MetricType::Gauge, "ringside_circuit_breaker_state",
             "The breaker of an endpoint: 0 closed, 1 half_open, 2 open.");
  for (const EndpointSample& sample : sources.breakers) {
    page.number({{"upstream", sample.upstream}, {"endpoint", sample.endpoint}},
                static_cast<std::uint64_t>(sample.breaker));
  }
  page.begin(MetricType::Counter, "ringside_circuit_breaker_transitions_total",
             "Changes of the breakers of an upstream's endpoints, by the new state.");
  for (const BreakerTransitionsSample& sample : sources.transitions) {
    page.number({{"upstream", sample.upstream}, {"to", to_label(sample.to)}}, sample.total);
  }
}

void add_inbound(const Sources& sources, Page& page) {
  InboundSum sum;
  for (const WorkerMetrics* loop : sources.loops) {
    loop->inbound.requests.collect(sum.requests);
    sum.duration += loop->inbound.duration.values();
    sum.in_flight += loop->inbound.in_flight.value();
  }
  page.begin(MetricType::Counter, "ringside_inbound_requests_total",
             "Requests from other sidecars, by the exact status that they got.");
  for (const auto& [code, count] : sum.requests) {
    page.number({{"code", code_label(code)}}, count);
  }
  page.begin(MetricType::Histogram, "ringside_inbound_request_duration_seconds",
             "Time from an inbound request's head to its response's end.");
  page.histogram({}, sum.duration);
  page.begin(MetricType::Gauge, "ringside_inbound_requests_in_flight",
             "Inbound requests that are under way.");
  page.number({}, static_cast<double>(sum.in_flight));
}

void add_refused(const Sources& sources, Page& page) {
  std::map<std::string, std::uint64_t, std::less<>> requests;
  std::map<std::string, std::uint64_t, std::less<>> responses;
  for (const WorkerMetrics* loop : sources.loops) {
    loop->bad_requests.collect(requests);
    loop->bad_responses.collect(responses);
  }
  page.begin(MetricType::Counter, "ringside_bad_requests_total",
             "Requests refused as no valid HTTP/1.1 or too large, by the rule that they broke.");
  for (const auto& [reason, count] : requests) {
    page.number({{"reason", reason}}, count);
  }
  page.begin(MetricType::Counter, "ringside_bad_responses_total",
             "Responses of upstreams that were no valid HTTP/1.1, by the rule that they broke.");
  for (const auto& [reason, count] : responses) {
    page.number({{"reason", reason}}, count);
  }
}

void add_ring_role(RingRole role, Page& page) {
  page.begin(MetricType::Gauge, "ringside_ring_role",
             "1 for the role that this member has in the ring, else 0.");
  constexpr std::array<std::pair<const char*, RingRole>, 4> kRoles = {
      {{"looking", RingRole::kLooking},
       {"leading", RingRole::kLeading},
       {"following", RingRole::kFollowing},
       {"observing", RingRole::kObserving}}};
  for (const auto& [name, value] : kRoles) {
    page.number({{"role", name}}, value == role ? 1.0 : 0.0);
  }
}

void add_ring(const RingSample& ring, Page& page) {
  const auto gauge = [&page](const char* name, const char* help, double value) {
    page.begin(MetricType::Gauge, name, help);
    page.number({}, value);
  };
  add_ring_role(ring.role, page);
  gauge("ringside_ring_epoch", "The epoch that this member is in.",
        static_cast<double>(ring.epoch));
  page.begin(MetricType::Counter, "ringside_ring_elections_total",
             "Elections that this member took part in.");
  page.number({}, ring.elections);
  gauge("ringside_ring_applied_zxid", "The last transaction applied here, as a number.",
        static_cast<double>(ring.applied_zxid));
  page.begin(MetricType::Histogram, "ringside_ring_commit_duration_seconds",
             "Time from a proposal to its commit, as this member saw it.");
  page.histogram({}, ring.commit_duration);
  gauge("ringside_ring_view_age_seconds", "Time since the view was last known to be current.",
        ring.view_age_seconds);
  gauge("ringside_ring_sessions", "Open sessions.", static_cast<double>(ring.sessions));
  gauge("ringside_ring_znodes", "Nodes in the tree held here.", static_cast<double>(ring.znodes));
  gauge("ringside_ring_watches", "Watches set on this member.", static_cast<double>(ring.watches));
}

void add_process(const Sources& sources, Page& page) {
  page.begin(MetricType::Histogram, "ringside_loop_turn_seconds",
             "Time that one turn of a loop worked, without waiting.");
  for (const WorkerMetrics* loop : sources.loops) {
    page.histogram({{"loop", loop->loop()}}, loop->loop_turn.values());
  }
  page.begin(MetricType::Gauge, "ringside_build_info", "Always 1; the labels say what is running.");
  Labels labels{{"version", sources.build.version}};
  if (!sources.build.revision.empty()) {
    labels.push_back({"revision", sources.build.revision});
  }
  page.number(std::move(labels), 1.0);
}

}  // namespace

std::string scrape(const Sources& sources) {
  Page page;
  const auto upstreams = sum_upstreams(sources);
  add_upstream_counts(upstreams, page);
  add_upstream_values(upstreams, page);
  add_endpoints(sources, page);
  add_inbound(sources, page);
  add_refused(sources, page);
  if (sources.ring) {
    add_ring(*sources.ring, page);
  }
  add_process(sources, page);
  return page.text();
}

}  // namespace ringside::metrics
