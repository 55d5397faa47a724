// RoutingTable: every upstream by name, in one immutable version; build_table makes the next one.
//
// Built on the control loop when the registry or the settings change, then handed to each worker by
// message and kept there in a View (view.h). Whoever holds the shared_ptr keeps it alive.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "balancer/endpoint.h"
#include "balancer/transition_log.h"
#include "balancer/upstream.h"
#include "config/base/rng.h"
#include "config/settings.h"

namespace ringside::balancer {

struct TableVersion {
  std::uint64_t zxid = 0;        // how far the registry was applied (a Zxid's raw value)
  std::uint64_t generation = 0;  // 1, 2, 3 ... for the tables of this process

  // By age. The registry may go back (a ring of another birth), generations never do.
  constexpr std::strong_ordering operator<=>(const TableVersion& other) const {
    const auto by_age = generation <=> other.generation;
    return by_age != std::strong_ordering::equal ? by_age : zxid <=> other.zxid;
  }
  constexpr bool operator==(const TableVersion&) const = default;
};

class RoutingTable {
 public:
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>{}(name);
    }
  };
  using Upstreams =
      std::unordered_map<std::string, std::shared_ptr<const Upstream>, NameHash, std::equal_to<>>;

  RoutingTable(TableVersion version, Upstreams upstreams, std::shared_ptr<TransitionLog> log);

  [[nodiscard]] TableVersion version() const { return version_; }

  // The upstream of that name (lower case), or null. Allocates nothing.
  [[nodiscard]] const Upstream* find(std::string_view name) const;

  // All names, sorted; they live as long as the table.
  [[nodiscard]] const std::vector<std::string_view>& names() const { return names_; }

  [[nodiscard]] const Upstreams& upstreams() const { return upstreams_; }

  // The control loop drains it; the same log in all tables built one from another.
  [[nodiscard]] const std::shared_ptr<TransitionLog>& transitions() const { return log_; }

 private:
  TableVersion version_;
  Upstreams upstreams_;
  std::vector<std::string_view> names_;
  std::shared_ptr<TransitionLog> log_;
};

// The table for these endpoints and settings. `previous` may be null. An upstream in which nothing
// changed stays the very same object; else its hosts that were there before, and its cursor, are
// kept. Changed limits hold from now on, for who uses the table before too. Every name of an
// endpoint or of settings.upstreams gets an upstream, be it without hosts.
// Fixed endpoints of the settings are added, except where a registered one has the same address.
// Endpoints are data from outside: names are lowered, weights clamped to 1..1000, a second entry
// with the same instance is left out.
std::shared_ptr<const RoutingTable> build_table(const RoutingTable* previous,
                                                std::vector<Endpoint> services,
                                                const config::Settings& settings,
                                                std::uint64_t zxid, Rng& rng);

}  // namespace ringside::balancer
