// Stat of a znode, error codes and kinds of node, as ZooKeeper defines them (coordination
// facts 4.1, 5.4, 5.6). Values.
#pragma once

#include <cstdint>

#include "config/base/time.h"
#include "coord/zab/types.h"

namespace ringside::coord {

struct Stat {
  Zxid czxid;
  Zxid mzxid;
  WallTime ctime{};
  WallTime mtime{};
  std::int32_t version = 0;
  std::int32_t cversion = 0;  // as clients see it: each create and each delete of a child adds 1
  std::int32_t aversion = 0;
  SessionId ephemeral_owner;  // 0: not ephemeral
  std::int32_t data_length = 0;
  std::int32_t num_children = 0;
  Zxid pzxid;

  bool operator==(const Stat&) const = default;
};

enum class ZkError : std::int32_t {
  kOk = 0,
  kSystemError = -1,
  kRuntimeInconsistency = -2,
  kConnectionLoss =
      -4,  // the outcome is unknown: no leader, or it changed while the request was under way
  kUnimplemented = -6,
  kOperationTimeout = -7,
  kBadArguments = -8,
  kNoNode = -101,
  kBadVersion = -103,
  kNoChildrenForEphemerals = -108,
  kNodeExists = -110,
  kNotEmpty = -111,
  kSessionExpired = -112,
  kSessionMoved = -118,  // it is attached at another member now; ResumeSession moves it back
};
const char* to_string(ZkError error);  // "no_node", …
bool known(ZkError error);             // for numbers that come from outside

enum class CreateMode { kPersistent, kEphemeral, kPersistentSequential, kEphemeralSequential };

inline constexpr std::int32_t kAnyVersion = -1;

}  // namespace ringside::coord
