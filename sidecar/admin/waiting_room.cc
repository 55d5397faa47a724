#include "sidecar/admin/waiting_room.h"

namespace ringside::admin {

void WaitingRoom::close() {
  const std::lock_guard guard(shared_->mutex);
  shared_->closed = true;
  shared_->changed.notify_all();
}

Trouble WaitingRoom::busy() {
  return {TroubleWord::kBusy, "too many requests wait for the ring; nothing was done, try again"};
}

Trouble WaitingRoom::late() {
  return {TroubleWord::kTimeout, "the control loop gave no answer in time; the outcome is unknown"};
}

}  // namespace ringside::admin
