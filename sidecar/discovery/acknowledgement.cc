#include "sidecar/discovery/acknowledgement.h"

namespace ringside::discovery {

void Acknowledgement::begin(Instant now, coord::Zxid zxid) {
  if (zxid_ != zxid) {
    forget();
    zxid_ = zxid;
    heard_at_ = now;
    ask_at_ = now;
  }
}

void Acknowledgement::forget() {
  zxid_.reset();
  behind_.clear();
  complete_ = false;
}

void Acknowledgement::tick(Instant now) {
  now_ = now;
  if (!zxid_ || complete_ || pending_ || now < ask_at_) {
    return;
  }
  pending_ = true;
  ask_at_ = now + kAskEvery;
  client_.submit({{}, coord::Routed{*zxid_}}, [this, asked = *zxid_](const coord::Reply& reply) {
    pending_ = false;
    if (zxid_ == asked && reply.error == coord::ZkError::kOk) {
      heard_at_ = now_;
      behind_ = reply.behind;
      complete_ = behind_.empty();
    }
  });
}

}  // namespace ringside::discovery
