// What the admin port asks of the control loop.
//
// Implemented by sidecar/app; called by the admin server's threads. It only posts: the loop's state
// is touched on the loop's thread alone.
#pragma once

#include <functional>

#include "config/base/error.h"
#include "sidecar/admin/drain_view.h"
#include "sidecar/admin/recovery_view.h"
#include "sidecar/admin/znode_call.h"

namespace ringside::admin {

class Control {
 public:
  virtual ~Control() = default;
  // `answered` is called once, on the control loop's thread, within the call's timeout as long as
  // the loop turns; never if the loop ends first. An error: too much waits there, nothing was done.
  virtual Status ask(ZnodeCall call, std::function<void(ZnodeAnswer)> answered) = 0;
  // `ring recover`: what it would come to, or (`go`) does it. As above, but takes as long as the
  // disk does.
  virtual Status recover(bool go, std::function<void(RecoveryAnswer)> answered) = 0;
  // Begins a drain, or (not `on`) undoes it; answers at once, not when it is through. As above.
  virtual Status drain(bool on, std::function<void(DrainAnswer)> answered) = 0;
};

}  // namespace ringside::admin
