// TransitionLog: breaker transitions on their way from the workers to the control loop.
//
// Workers push (never blocking, never waiting); one thread, the control loop, drains it now and
// then and writes the log lines. One log per process: build_table hands it from table to table, and
// each Host holds it (records hold identities, not hosts, so that nothing goes in a circle).
// Bounded: when full, a record is dropped and counted; the counters per state (UpstreamState) miss
// nothing. The queue is a ring of slots with sequence numbers (Vyukov's bounded queue, here with
// one consumer).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "balancer/breaker/breaker.h"
#include "balancer/endpoint.h"
#include "config/base/time.h"

namespace ringside::balancer {

struct TransitionRecord {
  std::shared_ptr<const HostIdentity> host;
  Transition transition;
  Instant at;
};

class TransitionLog {
 public:
  static constexpr std::size_t kCapacity = 1024;

  TransitionLog();

  // Any thread. False: full, the record is dropped and counted.
  bool push(TransitionRecord record);

  // The draining thread only. Empty: nothing more for now.
  std::optional<TransitionRecord> pop();

  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct Slot {
    std::atomic<std::size_t> sequence{0};
    TransitionRecord record;
  };

  std::array<Slot, kCapacity> slots_;
  std::atomic<std::size_t> head_{0};  // next to push
  std::size_t tail_ = 0;              // next to pop
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace ringside::balancer
