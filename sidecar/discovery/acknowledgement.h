// Asks the ring who has not yet routed a transaction, again and again, until every living sidecar
// has: from then on nobody sends by what stood there before.
//
// Owned by sidecar/app's Drain, on the control loop's thread; time comes as an argument. The leader
// answers from what the sidecars tell it with their heartbeats; one that is partitioned counts
// until its session ends. Without a leader that a quorum follows nothing is answered: heard_at()
// tells. Invariant: at most one question under way, one in kAskEvery.
#pragma once

#include <optional>
#include <vector>

#include "config/base/time.h"
#include "coord/registry/request.h"
#include "sidecar/discovery/registry_client.h"

namespace ringside::discovery {

class Acknowledgement {
 public:
  static constexpr milliseconds kAskEvery{50};

  explicit Acknowledgement(RegistryClient& client) : client_(client) {}

  // Begins to ask for `zxid`; nothing new when it does already.
  void begin(Instant now, coord::Zxid zxid);
  // No longer wanted; an answer under way counts for nothing.
  void forget();
  // Asks when it is time to.
  void tick(Instant now);

  [[nodiscard]] std::optional<coord::Zxid> zxid() const { return zxid_; }
  [[nodiscard]] bool complete() const { return complete_; }
  // By the last answer.
  [[nodiscard]] const std::vector<coord::SidecarBehind>& behind() const { return behind_; }
  // When the ring answered last; before it has, when this began.
  [[nodiscard]] Instant heard_at() const { return heard_at_; }

 private:
  RegistryClient& client_;
  std::optional<coord::Zxid> zxid_;
  std::vector<coord::SidecarBehind> behind_;
  bool complete_ = false;
  bool pending_ = false;
  Instant heard_at_{};
  Instant ask_at_{};
  Instant now_{};
};

}  // namespace ringside::discovery
