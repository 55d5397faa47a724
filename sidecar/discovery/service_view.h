// The services and their endpoints as this sidecar sees them: read from the registry, or from the
// copy kept on disk until the ring has spoken.
//
// Owned by sidecar/app, on the control loop's thread. Pure: entries that cannot be read are
// reported through `log` and left out. An entry that changed is read alone: what its service has
// beside it is neither read nor copied again. Reading everything is the same with each entry noted
// that stands here or there; either goes in slices.
// Invariants: 1. when it is not dirty(), the services are what reading everything would come to;
// 2. while it is, each entry is as it stood before or as it stands, so that services() may be
// served (a table is made when all is read); 3. the copy from disk counts no more once the registry
// is read; without a quorum nothing is forgotten, since the registry itself stands still then.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "balancer/endpoint.h"
#include "balancer/routing_table.h"
#include "coord/registry/registry.h"

namespace ringside::discovery {

class ServiceView {
 public:
  using Log = std::function<void(const std::string&)>;
  // By the name in the registry. Each list in the order of its instances; lists are never empty.
  using Services = std::map<std::string, balancer::EndpointList>;

  explicit ServiceView(Log log) : log_(std::move(log)) {}

  // Notes what a transaction touched; cheap.
  void note(std::span<const coord::Change> changes);
  // The registry was replaced: everything is read anew.
  void note_all() { all_dirty_ = true; }
  // Something that was noted is yet to be read; so it is before the registry was read at all.
  [[nodiscard]] bool dirty() const { return all_dirty_ || !unlisted_.empty() || !dirty_.empty(); }

  // Reads what was noted, up to `most` entries of it. True: nothing is left to be read.
  bool refresh(const coord::Registry& registry, std::size_t most = kAll);
  static constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

  [[nodiscard]] const Services& services() const { return services_; }

  // For routing: by upstream_name(), under which several services of the registry may meet.
  [[nodiscard]] balancer::ServiceLists lists() const;
  // Gives what changed since it was last asked, by that name; null: nobody is left. The lists stay
  // until the next refresh or load.
  [[nodiscard]] std::vector<balancer::ServiceChange> take_changes();

  // The copy for the disk, and back (a start without a quorum). Errors: not a copy of ours, or of
  // another ring or birth (0: unknown, matches any).
  [[nodiscard]] Bytes save(const std::string& ring_name, coord::BirthId birth,
                           coord::Zxid zxid) const;
  Status load(ByteView bytes, const std::string& ring_name, coord::BirthId birth);

 private:
  using Entry = std::shared_ptr<const balancer::Endpoint>;

  void set(const std::string& service, balancer::EndpointList fresh);
  void note_services(const coord::Registry& registry);
  void note_entries(const coord::Registry& registry, const std::string& service);
  // Up to `most` of what is noted of one service; how many those were.
  std::size_t refresh_some(const coord::Registry& registry, std::size_t most);
  void refresh_entries(const coord::Registry& registry, const std::string& service,
                       const std::set<std::string>& instances);
  // Null: nobody, or nobody who can be read.
  [[nodiscard]] Entry read_entry(const coord::Registry& registry, const std::string& service,
                                 const std::string& instance) const;
  [[nodiscard]] balancer::EndpointList merged(const std::set<std::string>& spellings) const;

  Log log_;
  Services services_;
  std::map<std::string, std::set<std::string>> spellings_;  // upstream_name -> keys of services_
  std::set<std::string> unlisted_;                          // of which every entry is to be noted
  std::map<std::string, std::set<std::string>> dirty_;      // service -> instances
  std::set<std::string> changed_;                           // by upstream_name
  std::map<std::string, balancer::EndpointList> merged_;    // of take_changes
  bool all_dirty_ = true;
};

// save() without the view, for any thread.
Bytes encode_view(const ServiceView::Services& services, const std::string& ring_name,
                  coord::BirthId birth, coord::Zxid zxid);

inline constexpr std::size_t kMaxViewBytes = std::size_t{256} << 20U;

}  // namespace ringside::discovery
