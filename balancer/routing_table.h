// RoutingTable: every upstream by name, in one immutable version; build_table and change_table make
// the next one.
//
// Built on the control loop when the registry or the settings change, then handed to each worker by
// message and kept there in a View (view.h). Whoever holds the shared_ptr keeps it alive. Versions
// share what did not change: upstreams, their hosts, and the names with their order.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
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

// Which upstream stands where: shared by the tables that have the same names.
class UpstreamNames {
 public:
  // In order, each once.
  explicit UpstreamNames(const std::vector<std::shared_ptr<const Upstream>>& upstreams);
  UpstreamNames(const UpstreamNames&) = delete;
  UpstreamNames& operator=(const UpstreamNames&) = delete;

  // Allocates nothing.
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view name) const {
    const auto found = places_.find(name);
    return found == places_.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] const std::vector<std::string_view>& sorted() const { return sorted_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>{}(name);
    }
  };
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> places_;
  std::vector<std::string_view> sorted_;  // of the map's keys
};

class RoutingTable {
 public:
  using Upstreams = std::vector<std::shared_ptr<const Upstream>>;

  // `upstreams` in the order of `names`.
  RoutingTable(TableVersion version, std::shared_ptr<const UpstreamNames> names,
               Upstreams upstreams, std::shared_ptr<TransitionLog> log);

  [[nodiscard]] TableVersion version() const { return version_; }

  // The upstream of that name (lower case), or null. Allocates nothing.
  [[nodiscard]] const Upstream* find(std::string_view name) const {
    const auto place = names_->find(name);
    return place ? upstreams_[*place].get() : nullptr;
  }

  // All names, sorted; they live as long as the table.
  [[nodiscard]] const std::vector<std::string_view>& names() const { return names_->sorted(); }

  [[nodiscard]] const Upstreams& upstreams() const { return upstreams_; }
  [[nodiscard]] const std::shared_ptr<const UpstreamNames>& shared_names() const { return names_; }

  // The control loop drains it; the same log in all tables built one from another.
  [[nodiscard]] const std::shared_ptr<TransitionLog>& transitions() const { return log_; }

 private:
  TableVersion version_;
  std::shared_ptr<const UpstreamNames> names_;
  Upstreams upstreams_;
  std::shared_ptr<TransitionLog> log_;
};

// By upstream_name().
using ServiceLists = std::map<std::string, EndpointList>;

// The table for these endpoints and settings. `previous` may be null. An upstream in which nothing
// changed stays the very same object; else its hosts that were there before, and its cursor, are
// kept. Changed limits hold from now on, for who uses the table before too. Every name of an
// endpoint or of settings.upstreams gets an upstream, be it without hosts.
// Fixed endpoints of the settings are added, except where a registered one has the same address.
// Endpoints are data from outside: names are lowered, weights clamped to 1..1000; build_table also
// leaves a second entry with the same instance out.
std::shared_ptr<const RoutingTable> build_from_lists(const RoutingTable* previous,
                                                     const ServiceLists& services,
                                                     const config::Settings& settings,
                                                     std::uint64_t zxid, Rng& rng);
std::shared_ptr<const RoutingTable> build_table(const RoutingTable* previous,
                                                std::vector<Endpoint> services,
                                                const config::Settings& settings,
                                                std::uint64_t zxid, Rng& rng);

// One service as it is now; null or empty: nobody is registered.
struct ServiceChange {
  std::string name;  // by upstream_name()
  const EndpointList* endpoints = nullptr;
};

// What build_table would come to when only these services differ from what `previous` was made of,
// by the same settings, for the cost of these and a pointer for each other one.
std::shared_ptr<const RoutingTable> change_table(const RoutingTable& previous,
                                                 std::span<const ServiceChange> changes,
                                                 const config::Settings& settings,
                                                 std::uint64_t zxid, Rng& rng);

}  // namespace ringside::balancer
