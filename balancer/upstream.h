// Upstream: one service as its callers see it in one version of the table: its settings, its host
// set and the schedule by which its policy goes.
//
// Made by build_table (routing_table.h) on the control loop, read by every worker through a pinned
// table (view.h). Immutable; only the Hosts and the UpstreamState that it points at change.
//
// Invariants
// 1. candidates() are the hosts that may be picked as far as the registry goes; breakers and hosts
//    already tried are looked at by each pick:
//      up hosts; with the unhealthy ones (panic) when those up are none or fewer than
//      panic_threshold percent of up + unhealthy, unless the threshold is 0;
//      the draining ones when that leaves nobody.
// 2. schedule() holds positions in candidates(), at most 65,536 of them (one for each candidate
//    when those are more); empty only when candidates() is.
// 3. Hosts are in the order of their instance names, so that a table depends on its inputs alone.
// 4. A host that did not change is the same HostEntry in the next version: what a version costs
//    beside the one before is one pointer per host, and what changed.
#pragma once

#include <cstdint>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "balancer/endpoint.h"
#include "balancer/host.h"
#include "config/base/rng.h"
#include "config/settings.h"

namespace ringside::balancer {

// Immutable, shared by all versions of the upstream in which neither part changed.
struct HostEntry {
  HostEntry(std::shared_ptr<const Endpoint> made, std::shared_ptr<Host> the_host)
      : kept(std::move(made)), endpoint(*kept), host(std::move(the_host)) {}
  HostEntry(const HostEntry&) = delete;
  HostEntry& operator=(const HostEntry&) = delete;

  const std::shared_ptr<const Endpoint> kept;
  const Endpoint& endpoint;
  const std::shared_ptr<Host> host;
};

using HostEntries = std::vector<std::shared_ptr<const HostEntry>>;

// A host that may be picked, with what a policy reads of it side by side.
struct Candidate {
  const HostEntry* entry = nullptr;
  Host* host = nullptr;
  std::uint32_t weight = 1;  // by which the policy goes: 1 for all with round_robin
};

class Upstream {
 public:
  // `hosts` in the order of their instances, weights 1..1000. `before`, the version before, or
  // null: what need not be worked out again is taken from it. `rng` draws where the schedule
  // starts.
  Upstream(std::string name, config::Upstream settings, HostEntries hosts,
           std::shared_ptr<UpstreamState> state, const Upstream* before, Rng& rng);
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const config::Upstream& settings() const { return settings_; }
  // A range of const HostEntry&, by position.
  [[nodiscard]] auto hosts() const {
    return std::views::transform(
        std::span(hosts_),
        [](const std::shared_ptr<const HostEntry>& one) -> const HostEntry& { return *one; });
  }
  [[nodiscard]] const HostEntries& entries() const { return hosts_; }
  [[nodiscard]] std::span<const Candidate> candidates() const { return candidates_; }
  [[nodiscard]] bool panic() const { return panic_; }
  [[nodiscard]] const std::shared_ptr<UpstreamState>& state() const { return state_; }

  [[nodiscard]] std::span<const std::uint32_t> schedule() const { return schedule_; }
  // Takes the next slot of the schedule, shared by all workers: a position in candidates(). Needs
  // at least one candidate.
  [[nodiscard]] std::uint32_t next_slot() const {
    const std::uint64_t turn = state_->cursor.fetch_add(1, std::memory_order_relaxed) + start_;
    return schedule_[turn % schedule_.size()];
  }

 private:
  void choose_candidates();
  void add_candidates(EndpointState state);
  void make_schedule(const Upstream* before);

  std::string name_;
  config::Upstream settings_;
  HostEntries hosts_;
  std::vector<Candidate> candidates_;
  std::vector<std::uint32_t> schedule_;
  std::uint64_t start_ = 0;
  bool panic_ = false;
  std::shared_ptr<UpstreamState> state_;
};

}  // namespace ringside::balancer
