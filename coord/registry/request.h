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
  bool sidecar = false;  // its owner routes calls by the registry: the ring keeps the minimum of
                         // what these have routed
};
struct CloseSession {};  // of Request::session; nobody may use it from then on
// Attaches Request::session at the asking member, where it counts as heard of. No transaction. The
// answer: the session, its timeout and secret, or kSessionExpired, which does not tell a wrong
// secret from a session that is gone.
struct ResumeSession {
  Bytes secret;
};

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
// Which sidecars have not routed `zxid` yet. No transaction; answered by a leader that a quorum
// follows.
struct Routed {
  Zxid zxid;
};

// Chosen by the asking member, unique within one run of it.
using RequestId = StrongId<struct RequestIdTag>;

struct Request {
  SessionId session;  // 0: none (CreateSession, persistent writes by the sidecar itself)
  std::variant<CreateSession, CloseSession, Multi, Sync, ResumeSession, Routed> what;
};

struct OpResult {
  ZkError error = ZkError::kOk;
  std::string path;  // of a create: the name made; of a set: the path asked for
  Stat stat;         // of create and set
};

// A sidecar whose session lives and whose member has not said that it routed what was asked for.
struct SidecarBehind {
  SessionId session;
  MemberId member;  // where the session was opened
  Zxid routed;      // by its last word; Zxid{}: it is not attached, or has said nothing yet
};

struct Reply {
  ZkError error = ZkError::kOk;  // of a failed multi: that of the op that failed
  Zxid zxid;          // of the transaction; for an error known without one, the last applied
  SessionId session;  // of CreateSession and ResumeSession
  milliseconds session_timeout{};     // of these, as granted
  Bytes secret;                       // of these: what ResumeSession asks for, kSecretBytes
  std::vector<OpResult> results;      // of Multi, one per op
  std::vector<SidecarBehind> behind;  // of Routed, by session
  Zxid routed;  // of Routed: the least that a living sidecar has routed; without any, what the
                // leader has applied
};

// Bounds: what is over them is refused with kBadArguments.
inline constexpr std::size_t kMaxPathBytes = 1024;
inline constexpr std::size_t kMaxDataBytes = 1 << 20;
inline constexpr std::size_t kMaxMultiOps = 1024;
inline constexpr std::size_t kMaxRequestBytes = 2 << 20;
inline constexpr std::size_t kMaxSecretBytes = 64;  // of a ResumeSession, whoever made it up
inline constexpr milliseconds kMaxSessionTimeout{0x7fffffff};  // clients see it as a 32-bit number
// What one transaction may grow to: made parents count as operations.
inline constexpr std::size_t kMaxTxnOps = 8192;
// Ephemerals that one transaction takes away when a session ends; with more, it ends in slices.
inline constexpr std::size_t kCloseSliceNodes = 1024;
inline constexpr std::size_t kCloseSliceBytes = 256U << 10U;  // of their paths, or one path

// False: over one of the bounds above, or a session timeout that is not positive. To be asked
// before a request is encoded; Preparer asks it too.
bool within_bounds(const Request& request);

}  // namespace ringside::coord
