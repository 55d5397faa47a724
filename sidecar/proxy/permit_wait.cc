#include "sidecar/proxy/permit_wait.h"

#include <utility>

#include "balancer/upstream.h"
#include "sidecar/proxy/context.h"

namespace ringside::proxy {

PermitWait::Begun PermitWait::begin(balancer::PermitGate& gate, const balancer::Upstream& upstream,
                                    balancer::Pin pin, metrics::UpstreamStats& stats,
                                    balancer::Permit& taken) {
  balancer::Permit place = upstream.state()->pending.try_take();
  if (!place) {
    return Begun::kPendingFull;
  }
  taken = gate.take_or_wait(*this, context_.permits);
  if (taken) {
    return Begun::kTaken;
  }
  pin_ = std::move(pin);
  place_ = std::move(place);
  stats_ = &stats;
  stats_->pending.add(1);
  since_ = context_.loop.coarse_now();
  return Begun::kWaiting;
}

void PermitWait::give_up() {
  if (!waiting()) {
    return;
  }
  // Closed before the permit by which it is counted is free again.
  if (brought_ != nullptr) {
    pool_->discard(std::move(brought_));
  }
  cancel();
  end();
}

void PermitWait::end() {
  stats_->pending.add(-1);
  place_.release();
  pin_ = balancer::Pin();
  pool_ = PoolLease();
}

void PermitWait::on_permit(balancer::Permit permit) {
  const balancer::Pin pin = pin_;  // both until the user holds its own
  const PoolLease pool = std::move(pool_);
  auto brought = std::move(brought_);
  end();
  user_.on_permit(std::move(permit), std::move(brought));
}

}  // namespace ringside::proxy
