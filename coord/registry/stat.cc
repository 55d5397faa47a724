#include "coord/registry/stat.h"

namespace ringside::coord {

const char* to_string(ZkError error) {
  switch (error) {
    case ZkError::kOk: return "ok";
    case ZkError::kSystemError: return "system_error";
    case ZkError::kRuntimeInconsistency: return "runtime_inconsistency";
    case ZkError::kConnectionLoss: return "connection_loss";
    case ZkError::kUnimplemented: return "unimplemented";
    case ZkError::kOperationTimeout: return "operation_timeout";
    case ZkError::kBadArguments: return "bad_arguments";
    case ZkError::kNoNode: return "no_node";
    case ZkError::kBadVersion: return "bad_version";
    case ZkError::kNoChildrenForEphemerals: return "no_children_for_ephemerals";
    case ZkError::kNodeExists: return "node_exists";
    case ZkError::kNotEmpty: return "not_empty";
    case ZkError::kSessionExpired: return "session_expired";
    case ZkError::kSessionMoved: return "session_moved";
  }
  return "unknown";
}

bool known(ZkError error) {
  switch (error) {
    case ZkError::kOk:
    case ZkError::kSystemError:
    case ZkError::kRuntimeInconsistency:
    case ZkError::kConnectionLoss:
    case ZkError::kUnimplemented:
    case ZkError::kOperationTimeout:
    case ZkError::kBadArguments:
    case ZkError::kNoNode:
    case ZkError::kBadVersion:
    case ZkError::kNoChildrenForEphemerals:
    case ZkError::kNodeExists:
    case ZkError::kNotEmpty:
    case ZkError::kSessionExpired:
    case ZkError::kSessionMoved: return true;
  }
  return false;
}

}  // namespace ringside::coord
