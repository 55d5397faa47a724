// PermitWait: one call's wait for a permit of its upstream's limits, and what the wait takes: a
// place in the gate's queue, a place among limits.pending, one in the gauge, and a pin on the table
// that keeps the gate.
//
// Owned by who waits (an exchange); its worker's thread only. The permit comes by
// on_permit from the worker's loop, in a turn of its own; how long to wait is the owner's matter.
// Only PermitWaits wait at a Host's gate of connections: HostPool brings them idle connections.
#pragma once

#include <cstdint>
#include <memory>

#include "balancer/limits/permit_gate.h"
#include "balancer/view.h"
#include "sidecar/proxy/pool.h"

namespace ringside::metrics {
struct UpstreamStats;
}

namespace ringside::proxy {

struct WorkerContext;

class PermitUser {
 public:
  // The wait is over. `connection`: an idle one, of the host waited for, which `permit` counts;
  // null: nothing came with the permit.
  virtual void on_permit(balancer::Permit permit,
                         std::unique_ptr<UpstreamConnection> connection) = 0;

 protected:
  ~PermitUser() = default;
};

class PermitWait final : public balancer::PermitWaiter {
 public:
  enum class Begun : std::uint8_t { kTaken, kWaiting, kPendingFull };

  PermitWait(WorkerContext& context, PermitUser& user) : context_(context), user_(user) {}
  ~PermitWait() { give_up(); }

  // Takes a permit of `gate` into `taken`; or waits for it; or does neither where limits.pending
  // wait already. `gate` is one of `upstream` or of one of its hosts, in the table of `pin`.
  Begun begin(balancer::PermitGate& gate, const balancer::Upstream& upstream, balancer::Pin pin,
              metrics::UpstreamStats& stats, balancer::Permit& taken);
  // Waits no more. Nothing if it does not wait.
  void give_up();
  // While it waits: since when.
  [[nodiscard]] Instant since() const { return since_; }

  // For HostPool: an idle connection of its, the permit of which was just granted to this waiter.
  void bring(PoolLease pool, std::unique_ptr<UpstreamConnection> connection) {
    pool_ = std::move(pool);
    brought_ = std::move(connection);
  }

  void on_permit(balancer::Permit permit) override;

 private:
  void end();

  WorkerContext& context_;
  PermitUser& user_;
  balancer::Pin pin_;
  balancer::Permit place_;  // among limits.pending; of the table of pin_
  metrics::UpstreamStats* stats_ = nullptr;
  PoolLease pool_;  // of brought_
  std::unique_ptr<UpstreamConnection> brought_;
  Instant since_{};
};

}  // namespace ringside::proxy
