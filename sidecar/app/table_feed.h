// From the registry to the workers: what the ring says becomes endpoints, endpoints become a
// routing table, the table is handed on.
//
// Owned by App, loop thread only. Changes are gathered over a turn of the loop, read in slices, and
// become one table, which shares with the one before whatever they did not touch; the one before
// serves until all is read. Until the ring has spoken the view kept on disk serves; from then on
// the registry alone counts.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "balancer/routing_table.h"
#include "config/base/rng.h"
#include "config/settings.h"
#include "coord/registry/registry.h"
#include "sidecar/discovery/service_view.h"

namespace ringside::app {

class TableFeed {
 public:
  using Publish = std::function<void(std::shared_ptr<const balancer::RoutingTable>)>;

  TableFeed(Rng rng, Publish publish, std::function<void(const std::string&)> log);

  void note(std::span<const coord::Change> changes) { view_.note(changes); }
  void note_all() { view_.note_all(); }
  // The view from disk; an error leaves everything as it is.
  Status load(ByteView bytes, const std::string& ring_name, coord::BirthId birth);
  // Entries that one refresh reads.
  static constexpr std::size_t kSlice = 128;

  // Builds and publishes a table if anything noted, or the settings, ask for one. `ring_counts`:
  // the registry is to be read, a slice of what was noted; while reading() there is no new table.
  // True when the services changed.
  bool refresh(const coord::Registry& registry, bool ring_counts, const config::Settings& settings);
  // More is to be read by a refresh in the next turn.
  [[nodiscard]] bool reading() const { return reading_; }
  void settings_changed() { rebuild_ = true; }
  // Whose registry it is (0: nobody's yet). The tables made under another birth than this one count
  // no more for routed(). Its tree is told of by note_all().
  void belongs_to(coord::BirthId birth);

  // Up to where the workers route, when the oldest of them goes by `oldest` and the registry is
  // applied up to `applied`. With the newest table they do by everything applied, unless a service
  // is yet to be read: what came since it was made touched none. A table of another birth says
  // nothing: its zxids do not compare with this ring's (D17).
  [[nodiscard]] coord::Zxid routed(balancer::TableVersion oldest, coord::Zxid applied) const;

  [[nodiscard]] const discovery::ServiceView& view() const { return view_; }
  [[nodiscard]] const std::shared_ptr<const balancer::RoutingTable>& table() const {
    return table_;
  }
  // There are services to route by: the registry was read, or the view on disk.
  [[nodiscard]] bool has_view() const { return ring_counts_ || loaded_from_disk_; }

 private:
  Rng rng_;
  Publish publish_;
  discovery::ServiceView view_;
  std::shared_ptr<const balancer::RoutingTable> table_;
  coord::BirthId birth_;
  std::uint64_t first_ = 0;  // generation of the first table of this birth
  bool rebuild_ = true;
  bool reading_ = false;
  bool ring_counts_ = false;  // the registry is what the table is made of, not the view on disk
  bool loaded_from_disk_ = false;
};

}  // namespace ringside::app
