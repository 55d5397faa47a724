// What the control loop shows to the admin server: one immutable snapshot, replaced as a whole.
//
// Made by sidecar/app on the control loop whenever something changes and at least every 200 ms;
// read by the admin server's threads through Published::get(). Nothing in it points back into the
// loop's state.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "balancer/routing_table.h"
#include "config/base/time.h"
#include "coord/driver.h"
#include "sidecar/admin/drain_view.h"

namespace ringside::admin {

struct RegistrationView {
  bool wanted = false;  // the settings have a service
  std::string service;
  std::string instance;
  std::string state;   // idle, no_session, unregistered, registered, taken, left
  std::string health;  // up, unhealthy, unknown
  std::string detail;  // why it is not as it should be
};

struct RingView {
  std::string name;
  std::string address;  // ring.advertise
  coord::RingStatus status;
  std::vector<std::pair<coord::MemberId, std::string>> addresses;  // of members, as far as known
  std::uint64_t routed_zxid = 0;  // the zxid that every worker's table has adopted
  double view_age_seconds =
      0;               // since a leader with a quorum was last heard; 0 while leading with one
  std::string fenced;  // why the member is out for good (D9, D13); empty: it is not
};

struct Snapshot {
  std::string name;     // of this sidecar: its instance, or member-ID
  std::string service;  // empty: none
  std::string version;
  Instant started{};
  Instant made{};
  bool ready = false;
  bool stale = false;  // a view without contact to a quorum
  DrainView drain;
  std::string not_ready;       // what is missing, when not ready
  std::string config_problem;  // of the last reload: it was refused, or a port cannot be opened
  RegistrationView registration;
  RingView ring;
  std::shared_ptr<const balancer::RoutingTable> table;  // live state of hosts is read through it
};

class Published {
 public:
  void set(std::shared_ptr<const Snapshot> snapshot) {
    const std::lock_guard lock(mutex_);
    snapshot_ = std::move(snapshot);
  }
  [[nodiscard]] std::shared_ptr<const Snapshot> get() const {
    const std::lock_guard lock(mutex_);
    return snapshot_;
  }

 private:
  mutable std::mutex mutex_;  // held for a pointer copy
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<const Snapshot>();
};

}  // namespace ringside::admin
