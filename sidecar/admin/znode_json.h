// The answers of /v1/znode/PATH as JSON. Pure, any thread.
#pragma once

#include <string>

#include "sidecar/admin/znode_call.h"

namespace ringside::admin {

std::string znode_json(const ZnodeRead& read);
std::string znode_json(const ZnodeWritten& written);
std::string znode_json(const ZnodeDeleted& deleted);

}  // namespace ringside::admin
