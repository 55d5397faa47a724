#include "sidecar/app/znode_trouble.h"

#include <fmt/format.h>

#include "config/duration.h"
#include "coord/registry/path.h"
#include "coord/registry/registry.h"

namespace ringside::app {

namespace {

using admin::Trouble;
using admin::TroubleWord;
using coord::ZkError;

std::string missing(const admin::ZnodeCall& call, bool creating) {
  if (!creating) {
    return fmt::format("there is no znode {}", call.path);
  }
  const bool posts = call.method == admin::ZnodeMethod::kPost;
  return fmt::format("there is no znode {} to make it in; ?parents makes it too",
                     posts && call.path.back() == '/'
                         ? std::string_view(call.path).substr(0, call.path.size() - 1)
                         : coord::parent_path(call.path));
}

}  // namespace

Trouble trouble_of(ZkError error, const admin::ZnodeCall& call, bool creating) {
  switch (error) {
    case ZkError::kNoNode: return {TroubleWord::kNoNode, missing(call, creating)};
    case ZkError::kNodeExists:
      return {TroubleWord::kNodeExists, fmt::format("{} is there already", call.path)};
    case ZkError::kBadVersion:
      return {TroubleWord::kBadVersion,
              fmt::format("{} has another version than {}: somebody changed it; read it again",
                          call.path, call.version.value_or(0))};
    case ZkError::kNotEmpty:
      return {TroubleWord::kNotEmpty,
              fmt::format("{} has children: they are to be deleted first", call.path)};
    case ZkError::kNoChildrenForEphemerals:
      return {
          TroubleWord::kNoChildrenForEphemerals,
          fmt::format("{} would stand under an ephemeral znode, which has no children", call.path)};
    case ZkError::kBadArguments:
      return {TroubleWord::kBadArguments,
              "the ring refuses it: too many ephemeral znodes of one session, or the counter of "
              "the parent is at its end"};
    case ZkError::kConnectionLoss:
      return {TroubleWord::kConnectionLoss,
              "the leader was lost while the request was under way: it may have been done or not; "
              "look (GET with ?sync) before you repeat it"};
    default:
      return {TroubleWord::kSystemError,
              fmt::format("the ring answered {}", coord::to_string(error))};
  }
}

Trouble too_late(const admin::ZnodeCall& call, bool out, bool in_touch) {
  const std::string within = config::show_duration(call.timeout);
  if (out && call.method != admin::ZnodeMethod::kGet) {
    return {TroubleWord::kTimeout,
            fmt::format("no answer of the ring within {}: it may have been done or not; look (GET "
                        "with ?sync) before you repeat it",
                        within)};
  }
  if (out) {
    return {TroubleWord::kTimeout, fmt::format("no answer of the ring within {}", within)};
  }
  return {TroubleWord::kNoQuorum,
          fmt::format("{} within {}; nothing was done, see /v1/ring",
                      in_touch && call.ephemeral ? "this sidecar got no session with the ring"
                                                 : "no leader with a quorum was found",
                      within)};
}

Trouble not_in_view() {
  return {TroubleWord::kNotInView,
          fmt::format("this sidecar observes and holds only what stands in {}; ask a voter "
                      "(/v1/ring names them), reading through it is not in this version",
                      coord::kObserverScope)};
}

}  // namespace ringside::app
