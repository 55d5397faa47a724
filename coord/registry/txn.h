// A transaction: what the leader proposes and every member applies. Everything in it is settled by
// the leader (D12): names, versions, times, the list of nodes that a closed session takes with it.
// Applying one cannot fail on a member whose tree is the leader's tree; if it does, the trees
// differ and the member stops (D13).
//
// Made by Preparer, applied by Registry, encoded by coord/codec/txn_codec. Values.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "coord/registry/request.h"
#include "coord/registry/secret.h"

namespace ringside::coord {

struct TxnCreateNode {
  std::string path;
  Bytes data;
  SessionId ephemeral_owner;
  std::int32_t parent_cversion = 0;  // stored child version of the parent after this
};
struct TxnDeleteNode {
  std::string path;
};
struct TxnSetData {
  std::string path;
  Bytes data;
  std::int32_t version = 0;  // after this
};
struct TxnCreateSession {
  SessionId session;
  milliseconds timeout{};
  MemberId sidecar{};  // where it was opened, of a sidecar's session; 0: of another client
  Bytes secret{};      // of the session, for the answer: observers do not hold the ring's
};
struct TxnCloseSession {
  SessionId session;
  std::vector<std::string> ephemerals;  // in creation order: all that it has (left)
};
// Before the first session: what the secrets of all sessions are made from.
struct TxnSetSecret {
  RingSecret secret;
};
// A session with many ephemerals ends in steps: from the first one it is closing, each takes its
// oldest ones away (the first none), and TxnCloseSession is the last.
struct TxnCloseSlice {
  SessionId session;
  std::vector<std::string> ephemerals;  // in creation order
};
using TxnOp = std::variant<TxnCreateNode, TxnDeleteNode, TxnSetData, TxnCreateSession,
                           TxnCloseSession, TxnSetSecret, TxnCloseSlice>;

// Who asked, so that the member asked can answer when it applies the transaction.
struct Origin {
  MemberId member;
  RequestId request;
  bool operator==(const Origin&) const = default;
};

struct Txn {
  Origin origin;  // member 0: nobody waits (an expiry)
  SessionId session;
  WallTime time{};               // ctime and mtime of what it touches
  ZkError error = ZkError::kOk;  // a request that failed also takes a zxid, and changes nothing
  std::vector<TxnOp> ops;
  std::vector<OpResult> results;  // the reply to a Multi, without Stats (the member asked fills
                                  // them in as it applies)
};

}  // namespace ringside::coord
