// The registry as plainly as it can be written, to compare with: a map of whole paths, searched
// from end to end.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "coord/registry/registry.h"

namespace ringside::coord::test {

struct ModelNode {
  Bytes data;
  SessionId owner;
  Zxid czxid;
  Zxid mzxid;
  Zxid pzxid;
  WallTime ctime{};
  WallTime mtime{};
  std::int32_t version = 0;
  std::int32_t cversion = 0;  // as clients see it: counted, not computed
  std::int32_t creates = 0;
  std::uint64_t born = 0;  // order of birth
};

class Model {
 public:
  Model() { nodes["/"] = {}; }

  Reply run(const Request& request, Zxid zxid, WallTime now, SessionId drawn);

  [[nodiscard]] Stat stat(const std::string& path) const;
  [[nodiscard]] std::vector<std::string> children(const std::string& path) const;
  [[nodiscard]] std::vector<std::string> ephemerals(SessionId id) const;

  std::map<std::string, ModelNode> nodes;
  std::map<SessionId, milliseconds> sessions;

 private:
  OpResult write(const WriteOp& op, SessionId session, Zxid zxid, WallTime now);
  ZkError make(const std::string& path, const Bytes& data, SessionId owner, Zxid zxid,
               WallTime now);
  void erase(const std::string& path, Zxid zxid);

  std::uint64_t births_ = 0;
};

}  // namespace ringside::coord::test
