// Strangers: endpoints of the table at whose address another ring or service was found a moment ago
// (421, product.md "Between sidecars"): an address that was recycled before the registry knew.
//
// One per worker, on its thread; reads no clock. A call that met one went elsewhere at once,
// whatever its method; this only saves the next ones the way. It is no judgement: whoever is called
// again after kTime and serves is as good as the others, and with nobody else left it is called
// anyway. Invariants: at most kMost are known, the oldest is forgotten for a new one; an entry
// holds its Host, so that memory freed and taken again can't name another one.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "balancer/host.h"
#include "config/base/time.h"

namespace ringside::proxy {

class Strangers {
 public:
  static constexpr std::size_t kMost = 16;
  static constexpr seconds kTime{10};

  void add(std::shared_ptr<const balancer::Host> host, Instant now);
  // Those of the last kTime; the span holds until the next call.
  [[nodiscard]] std::span<const balancer::Host* const> known(Instant now);

 private:
  void forget(std::size_t at);

  struct Entry {
    std::shared_ptr<const balancer::Host> host;
    Instant until{};
  };
  std::array<Entry, kMost> entries_;  // the oldest first, then empty ones
  std::array<const balancer::Host*, kMost> hosts_{};
  std::size_t count_ = 0;
};

}  // namespace ringside::proxy
