// What went wrong with a request to /v1/znode/PATH, in words for its caller. Pure.
#pragma once

#include "sidecar/admin/znode_call.h"

namespace ringside::app {

// `error`: not kOk. `creating`: the request asked to make the node.
admin::Trouble trouble_of(coord::ZkError error, const admin::ZnodeCall& call, bool creating);
// The deadline passed; `out`: with a request under way.
admin::Trouble too_late(const admin::ZnodeCall& call, bool out, bool in_touch);
// An observer was asked for what it does not hold.
admin::Trouble not_in_view();

}  // namespace ringside::app
