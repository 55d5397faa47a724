// Snapshots put together by hand from the description of the format, with digests and check made
// right, so that nothing else refuses them: a second writer, beside the registry's own.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "config/base/crc32c.h"
#include "coord/registry/hash.h"
#include "coord/registry/registry.h"

namespace ringside::coord::test {

struct ForgedNode {
  std::uint32_t slot = 0;
  std::uint32_t parent = 0;
  std::string name{};
  std::uint64_t czxid = 1;
  std::int32_t creates = 9;
  std::uint64_t owner = 0;
  std::uint64_t order = 0;
};

struct Forgery {
  bool scoped = false;
  std::vector<ForgedNode> nodes;
  std::vector<std::pair<std::uint64_t, std::int64_t>> sessions;
  std::uint64_t secret = 0;
  std::uint32_t more_nodes = 0;  // the end says so many more than there are
  std::uint32_t more_sessions = 0;
  std::uint64_t digest_error = 0;
  std::uint64_t scope_digest_error = 0;
  std::uint32_t check_error = 0;

  // A whole tree with the root, at zxid 100.
  static Forgery tree(std::vector<ForgedNode> below) {
    Forgery forgery;
    forgery.nodes = std::move(below);
    forgery.nodes.push_back({});
    forgery.secret = 5;
    return forgery;
  }

  [[nodiscard]] Bytes bytes() const {
    ByteWriter out;
    out.u32(0x52534e50);
    out.u16(2);
    out.boolean(scoped);
    out.u64(100);
    std::uint64_t scope_digest = 0;
    std::uint64_t digest = 0;
    for (const ForgedNode& node : nodes) {
      put(out, node);
      const std::string path = path_of(node);
      const std::uint64_t hash = hash_of(node, path);
      digest += hash;
      scope_digest += path == "/ringside" || path.starts_with("/ringside/") ? hash : 0;
    }
    for (const auto& [id, timeout] : sessions) {
      out.u8(3);
      out.u64(id);
      out.i64(timeout);
      out.u64(0);  // no sidecar's
      out.boolean(false);
      const auto ms = static_cast<std::uint64_t>(timeout);
      digest += hash_words(std::array<std::uint64_t, 4>{id, ms, 0, 0});
    }
    out.u8(4);
    out.u32(static_cast<std::uint32_t>(nodes.size()) + more_nodes);
    out.u32(static_cast<std::uint32_t>(sessions.size()) + more_sessions);
    out.u64(secret);
    out.u64(0);
    if (secret != 0) {
      const std::array<std::uint64_t, 1> what{0x736563726574U};
      digest += hash_words(what, HashKey{secret, 0});
    }
    out.u64((scoped ? scope_digest : digest) + digest_error);
    out.u64(scope_digest + scope_digest_error);
    out.u32(crc32c(out.view()) + check_error);
    return out.take();
  }
  [[nodiscard]] bool loads() const { return Registry::load(bytes()).has_value(); }

 private:
  static void put(ByteWriter& out, const ForgedNode& node) {
    if (node.owner != 0 || node.order != 0) {
      out.u8(2);
      out.u64(node.owner);
      out.u64(node.order);
    } else {
      out.u8(1);
    }
    out.u32(node.slot);
    out.u32(node.parent);
    for (int i = 0; i < 3; ++i) {
      out.u64(node.czxid);
    }
    out.i64(0);
    out.i64(0);
    out.i32(0);
    out.i32(node.creates);
    out.u16(static_cast<std::uint16_t>(node.name.size()));
    out.u32(0);
    out.raw(as_bytes(node.name));
  }

  // Ends also where the parents go round in a circle.
  [[nodiscard]] std::string path_of(const ForgedNode& node) const {
    std::string path;
    const ForgedNode* at = &node;
    for (std::size_t depth = 0; at != nullptr && at->slot != 0 && depth <= nodes.size(); ++depth) {
      path.insert(0, "/" + at->name);
      const std::uint32_t above = at->parent;
      at = nullptr;
      for (const ForgedNode& other : nodes) {
        at = other.slot == above ? &other : at;
      }
    }
    return path.empty() ? "/" : path;
  }

  [[nodiscard]] std::uint64_t hash_of(const ForgedNode& node, const std::string& path) const {
    std::uint64_t children = 0;
    for (const ForgedNode& other : nodes) {
      children += other.slot != 0 && other.parent == node.slot ? 1 : 0;
    }
    const std::array<std::uint64_t, 10> words{
        hash_bytes(as_bytes(path)),
        hash_bytes({}),
        node.czxid,
        node.czxid,
        node.czxid,
        0,
        0,
        node.owner,
        0,
        static_cast<std::uint64_t>(static_cast<std::uint32_t>(node.creates)) << 32U | children};
    return hash_words(words);
  }
};

}  // namespace ringside::coord::test
