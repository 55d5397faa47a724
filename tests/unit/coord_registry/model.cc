#include "tests/unit/coord_registry/model.h"

#include <algorithm>
#include <cstdio>

namespace ringside::coord::test {
namespace {

std::string above(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool below(const std::string& path, const std::string& parent) {
  return path != "/" && above(path) == parent;
}

}  // namespace

std::vector<std::string> Model::children(const std::string& path) const {
  std::vector<std::string> names;
  for (const auto& [other, node] : nodes) {
    if (below(other, path)) {
      names.push_back(other.substr(other.rfind('/') + 1));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> Model::ephemerals(SessionId id) const {
  std::map<std::uint64_t, std::string> by_birth;
  for (const auto& [path, node] : nodes) {
    if (node.owner && node.owner == id) {
      by_birth[node.born] = path;
    }
  }
  std::vector<std::string> paths;
  for (const auto& [born, path] : by_birth) {
    paths.push_back(path);
  }
  return paths;
}

Stat Model::stat(const std::string& path) const {
  const ModelNode& node = nodes.at(path);
  Stat stat;
  stat.czxid = node.czxid;
  stat.mzxid = node.mzxid;
  stat.pzxid = node.pzxid;
  stat.ctime = node.ctime;
  stat.mtime = node.mtime;
  stat.version = node.version;
  stat.cversion = node.cversion;
  stat.ephemeral_owner = node.owner;
  stat.data_length = static_cast<std::int32_t>(node.data.size());
  stat.num_children = static_cast<std::int32_t>(children(path).size());
  return stat;
}

ZkError Model::make(const std::string& path, const Bytes& data, SessionId owner, Zxid zxid,
                    WallTime now) {
  if (!nodes.contains(above(path))) {
    return ZkError::kNoNode;
  }
  if (nodes.contains(path)) {
    return ZkError::kNodeExists;
  }
  ModelNode& parent = nodes[above(path)];
  if (parent.owner) {
    return ZkError::kNoChildrenForEphemerals;
  }
  ++parent.cversion;
  ++parent.creates;
  parent.pzxid = zxid;
  ModelNode node;
  node.data = data;
  node.owner = owner;
  node.czxid = node.mzxid = node.pzxid = zxid;
  node.ctime = node.mtime = now;
  node.born = ++births_;
  nodes[path] = node;
  return ZkError::kOk;
}

void Model::erase(const std::string& path, Zxid zxid) {
  nodes.erase(path);
  ++nodes[above(path)].cversion;
  nodes[above(path)].pzxid = zxid;
}

OpResult Model::write(const WriteOp& op, SessionId session, Zxid zxid, WallTime now) {
  OpResult result;
  if (const auto* create = std::get_if<Create>(&op)) {
    const bool numbered = create->mode == CreateMode::kPersistentSequential ||
                          create->mode == CreateMode::kEphemeralSequential;
    const bool owned =
        create->mode == CreateMode::kEphemeral || create->mode == CreateMode::kEphemeralSequential;
    if (owned && !session) {
      return {ZkError::kBadArguments, {}, {}};
    }
    for (std::size_t i = 1; create->make_parents && i < create->path.size(); ++i) {
      const std::string part = create->path.substr(0, i);
      if (create->path[i] == '/' && !nodes.contains(part)) {
        if (const ZkError error = make(part, {}, {}, zxid, now); error != ZkError::kOk) {
          return {error, {}, {}};
        }
      }
    }
    std::string path = create->path;
    if (numbered && nodes.contains(above(path))) {
      char suffix[16];
      std::snprintf(suffix, sizeof suffix, "%010d", nodes[above(path)].creates);
      path += suffix;
    }
    result.error = make(path, create->data, owned ? session : SessionId{}, zxid, now);
    if (result.error == ZkError::kOk) {
      result.path = path;
      result.stat = stat(path);
    }
    return result;
  }
  const std::string& path =
      std::visit([](const auto& any) -> const std::string& { return any.path; }, op);
  const auto* remove = std::get_if<Delete>(&op);
  if (!nodes.contains(path)) {
    result.error = remove != nullptr && remove->missing_is_ok ? ZkError::kOk : ZkError::kNoNode;
    return result;
  }
  ModelNode& node = nodes[path];
  const auto* set = std::get_if<SetData>(&op);
  const std::int32_t expected = remove != nullptr ? remove->version
                                : set != nullptr  ? set->version
                                                  : std::get<CheckVersion>(op).version;
  if (expected != kAnyVersion && expected != node.version) {
    result.error = ZkError::kBadVersion;
  } else if (remove != nullptr) {
    if (!children(path).empty()) {
      result.error = ZkError::kNotEmpty;
    } else {
      erase(path, zxid);
    }
  } else if (set != nullptr) {
    node.data = set->data;
    ++node.version;
    node.mzxid = zxid;
    node.mtime = now;
    result.path = path;
    result.stat = stat(path);
  }
  return result;
}

Reply Model::run(const Request& request, Zxid zxid, WallTime now, SessionId drawn) {
  Reply reply;
  reply.zxid = zxid;
  const bool closes = std::holds_alternative<CloseSession>(request.what);
  if ((request.session || closes) && !sessions.contains(request.session)) {
    reply.error = ZkError::kSessionExpired;
    return reply;
  }
  if (const auto* open = std::get_if<CreateSession>(&request.what)) {
    sessions[drawn] = open->timeout;
    reply.session = drawn;
    reply.session_timeout = open->timeout;
  } else if (closes) {
    for (const std::string& path : ephemerals(request.session)) {
      erase(path, zxid);
    }
    sessions.erase(request.session);
  } else if (const auto* multi = std::get_if<Multi>(&request.what)) {
    const Model before = *this;
    for (const WriteOp& op : multi->ops) {
      if (reply.error != ZkError::kOk) {
        reply.results.push_back({ZkError::kRuntimeInconsistency, {}, {}});
        continue;
      }
      reply.results.push_back(write(op, request.session, zxid, now));
      reply.error = reply.results.back().error;
    }
    if (reply.error != ZkError::kOk) {
      *this = before;
      for (OpResult& result : reply.results) {
        result = {result.error, {}, {}};
      }
    }
  }
  return reply;
}

}  // namespace ringside::coord::test
