// Host: the live state of one instance, shared by all workers; UpstreamState: the same for an
// upstream as a whole.
//
// Made by build_table and kept (shared_ptr) from one host-set version to the next while service,
// instance and address stay. Workers reach it through a pinned table (view.h) and take no
// reference. These two classes, Breaker, ResultWindow, TransitionLog and PermitGate hold all the
// atomics that the workers share:
//   UpstreamState::cursor       one fetch_add per slot of the smooth schedule
//   UpstreamState::transitions  breaker transitions per state, for the metric
//   UpstreamState::requests     see limits/permit_gate.h: one compare-and-set for each request and
//   UpstreamState::pending      its end, a lock only where a limit is reached; likewise
//   Host::connections
//   Host::in_flight             calls running now, from all workers
//   Host's breaker              see breaker.h
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "balancer/breaker/breaker.h"
#include "balancer/endpoint.h"
#include "balancer/limits/permit_gate.h"
#include "balancer/transition_log.h"
#include "config/base/time.h"
#include "config/settings.h"

namespace ringside::balancer {

inline constexpr std::size_t kCacheLine = 64;

// Kept while the upstream is in the table.
struct UpstreamState {
  alignas(kCacheLine) std::atomic<std::uint64_t> cursor{0};
  alignas(kCacheLine) std::array<std::atomic<std::uint64_t>, 3> transitions{};  // by BreakerState
  PermitGate requests;  // under way: limits.requests
  PermitGate pending;   // of those the waiting ones: limits.pending; nobody queues for this

  [[nodiscard]] std::uint64_t transitions_to(BreakerState to) const {
    return transitions[static_cast<std::size_t>(to)].load(std::memory_order_relaxed);
  }
};

class Host {
 public:
  // `state` is the upstream's; `log` takes the breaker's transitions. Neither may be null.
  Host(HostIdentity identity, std::shared_ptr<UpstreamState> state,
       std::shared_ptr<TransitionLog> log);

  [[nodiscard]] const HostIdentity& identity() const { return *identity_; }

  [[nodiscard]] std::uint32_t in_flight() const {
    return in_flight_.load(std::memory_order_relaxed);
  }
  void enter() { in_flight_.fetch_add(1, std::memory_order_relaxed); }
  void leave() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }
  // Enters only if at most `seen` calls run: the count by which this host was chosen still holds.
  bool enter_if_at_most(std::uint32_t seen);

  // To this endpoint: limits.connections.
  [[nodiscard]] PermitGate& connections() { return connections_; }

  [[nodiscard]] bool would_admit(const config::CircuitBreaker& settings, Instant now) const {
    return breaker_.would_admit(settings, now);
  }
  [[nodiscard]] bool still_admits(const config::CircuitBreaker& settings,
                                  BreakerStamp stamp) const {
    return breaker_.still_admits(settings, stamp);
  }
  std::optional<BreakerStamp> admit(const config::CircuitBreaker& settings, Instant now);
  void record(const config::CircuitBreaker& settings, BreakerStamp stamp, Outcome outcome,
              Duration took, Instant now);
  [[nodiscard]] BreakerState breaker_state(const config::CircuitBreaker& settings) const {
    return breaker_.state(settings);
  }

 private:
  void announce(const Transition& transition, Instant now);

  // Changed by every pick: a cache line of its own.
  alignas(kCacheLine) std::atomic<std::uint32_t> in_flight_{0};
  // Read by every pick, changed by results.
  alignas(kCacheLine) Breaker breaker_;
  PermitGate connections_;
  alignas(kCacheLine) const std::shared_ptr<const HostIdentity> identity_;
  const std::shared_ptr<UpstreamState> state_;
  const std::shared_ptr<TransitionLog> log_;
};

}  // namespace ringside::balancer
