// The services and their endpoints as this sidecar sees them: read from the registry, or from the
// copy kept on disk until the ring has spoken.
//
// Owned by sidecar/app, on the control loop's thread. Pure: entries that cannot be read are
// reported through `log` and left out. Invariant: once note_all() and refresh() have read the
// registry the copy from disk counts no more; without a quorum nothing is forgotten, since the
// registry itself stands still then.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "balancer/endpoint.h"
#include "coord/registry/registry.h"

namespace ringside::discovery {

class ServiceView {
 public:
  using Log = std::function<void(const std::string&)>;
  using Services = std::map<std::string, std::vector<balancer::Endpoint>>;

  explicit ServiceView(Log log) : log_(std::move(log)) {}

  // Notes what a transaction touched; cheap.
  void note(std::span<const coord::Change> changes);
  // The registry was replaced, or counts from now on: everything is read anew at the next refresh.
  void note_all() { all_dirty_ = true; }
  [[nodiscard]] bool dirty() const { return all_dirty_ || !dirty_.empty(); }

  // Reads what was noted. True when the services differ from before.
  bool refresh(const coord::Registry& registry);

  [[nodiscard]] const Services& services() const { return services_; }
  [[nodiscard]] std::vector<balancer::Endpoint> endpoints() const;

  // The copy for the disk, and back (a start without a quorum). Errors: not a copy of ours, or of
  // another ring or birth (0: unknown, matches any).
  [[nodiscard]] Bytes save(const std::string& ring_name, coord::BirthId birth,
                           coord::Zxid zxid) const;
  Status load(ByteView bytes, const std::string& ring_name, coord::BirthId birth);

 private:
  std::vector<balancer::Endpoint> read_service(const coord::Registry& registry,
                                               const std::string& service);

  Log log_;
  Services services_;
  std::set<std::string> dirty_;
  bool all_dirty_ = false;
};

inline constexpr std::size_t kMaxViewBytes = std::size_t{256} << 20U;

}  // namespace ringside::discovery
