// What a client of the registry asks, and the answer. A client is the sidecar itself (registrar,
// admin API) and later the ZooKeeper client port. Values; encoded by coord/codec for forwarding to
// the leader.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "coord/registry/stat.h"

namespace ringside::coord {

struct CreateSession {
  milliseconds timeout{6000};
};
struct CloseSession {};  // of Request::session

struct Create {
  std::string path;  // for a sequential mode the prefix
  Bytes data;
  CreateMode mode = CreateMode::kPersistent;
  bool make_parents = false;  // missing parents are made, persistent and empty, in the same
                              // transaction (ours, not ZooKeeper's)
};
struct Delete {
  std::string path;
  std::int32_t version = kAnyVersion;
  bool missing_is_ok =
      false;  // ours: a node that is not there is a success, for transactions that clean up
};
struct SetData {
  std::string path;
  Bytes data;
  std::int32_t version = kAnyVersion;
};
struct CheckVersion {
  std::string path;
  std::int32_t version = kAnyVersion;
};
using WriteOp = std::variant<Create, Delete, SetData, CheckVersion>;

struct Multi {  // all or nothing, one zxid; a single write is a Multi of one
  std::vector<WriteOp> ops;
};
struct Sync {};  // answered once everything proposed before it is applied on the asking member

// Chosen by the asking member, unique within one run of it.
using RequestId = StrongId<struct RequestIdTag>;

struct Request {
  SessionId session;  // 0: none (CreateSession, persistent writes by the sidecar itself)
  std::variant<CreateSession, CloseSession, Multi, Sync> what;
};

struct OpResult {
  ZkError error = ZkError::kOk;
  std::string path;  // of a create: the name made; of a set: the path asked for
  Stat stat;         // of create and set
};

struct Reply {
  ZkError error = ZkError::kOk;  // of a failed multi: that of the op that failed
  Zxid zxid;          // of the transaction; for an error known without one, the last applied
  SessionId session;  // of CreateSession
  milliseconds session_timeout{};  // of CreateSession, as granted
  std::vector<OpResult> results;   // of Multi, one per op
};

// Bounds: what is over them is refused with kBadArguments.
inline constexpr std::size_t kMaxPathBytes = 1024;
inline constexpr std::size_t kMaxDataBytes = 1 << 20;
inline constexpr std::size_t kMaxMultiOps = 1024;
inline constexpr std::size_t kMaxRequestBytes = 2 << 20;
inline constexpr milliseconds kMaxSessionTimeout{0x7fffffff};  // clients see it as a 32-bit number
// What one transaction may grow to: made parents count as operations, and closing a session names
// all its ephemerals in one transaction.
inline constexpr std::size_t kMaxTxnOps = 8192;
inline constexpr std::size_t kMaxEphemeralsPerSession = 32'768;

// False: over one of the bounds above, or a session timeout that is not positive. To be asked
// before a request is encoded; Preparer asks it too.
bool within_bounds(const Request& request);

}  // namespace ringside::coord
