// What the admin port asks of the registry by /v1/znode/PATH, and the answer. Values.
//
// Made from a request by znode_request.h on one of the admin server's threads, carried out by
// sidecar/app on the control loop, turned into JSON by znode_json.h on the admin's thread again.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/time.h"
#include "coord/registry/stat.h"
#include "sidecar/admin/trouble.h"

namespace ringside::admin {

enum class ZnodeMethod { kGet, kPut, kPost, kDelete };

struct ZnodeCall {
  ZnodeMethod method = ZnodeMethod::kGet;
  std::string path;  // legal; for kPost of the node made, or its prefix where it is sequential
  Bytes data;        // kPut, kPost
  std::optional<std::int32_t> version;  // kPut, kDelete: only this one
  bool create_only = false;             // kPut
  bool parents = false;                 // kPut, kPost: missing parents are made
  bool ephemeral = false;               // kPost, kPut with create_only
  bool sequential = false;              // kPost
  bool sync = false;                    // kGet: everything acknowledged before is in the answer
  bool raw = false;                     // kGet: the bytes alone
  milliseconds timeout{10'000};
};

struct ZnodeRead {
  std::string path;
  std::string data;
  coord::Stat stat;
  // nullopt: more than kMaxChildrenShown.
  std::optional<std::vector<std::string>> children;
  coord::Zxid zxid;    // of the view that this was read from
  bool stale = false;  // a view without contact to a quorum
};

struct ZnodeWritten {
  std::string path;  // as made
  bool created = false;
  std::optional<coord::Stat> stat;  // nullopt: an observer, outside what it holds
  coord::Zxid zxid;
};

struct ZnodeDeleted {
  std::string path;
  coord::Zxid zxid;
};

using ZnodeAnswer = std::variant<ZnodeRead, ZnodeWritten, ZnodeDeleted, Trouble>;

// Of a node with more of them the names are left out: listing them would hold up the control loop.
inline constexpr std::size_t kMaxChildrenShown = 10'000;

}  // namespace ringside::admin
