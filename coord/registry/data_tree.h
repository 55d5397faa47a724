// The znodes in memory. Called by Registry alone, which has checked that each change fits. Owns the
// nodes; one thread.
//
// A node holds its name, not its path, in one allocation with its data; siblings form a list, and
// NodeIndex finds nodes by path. About 290 bytes per znode with 100 bytes of data, measured by
// MemoryPerZnode in the tests.
//
// Invariants: the root is always there; digest() is the sum of the hashes of all nodes, kept up
// with each change; a session's ephemerals form a list in creation order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/base/bytes.h"
#include "coord/registry/node_index.h"
#include "coord/registry/stat.h"

namespace ringside::coord {

struct Node;

struct EphemeralLink {  // what only an ephemeral node needs
  SessionId owner;
  Node* older = nullptr;
  Node* younger = nullptr;
};

struct Node {
  Node* parent = nullptr;
  Node* first_child = nullptr;
  Node* next_sibling = nullptr;
  Node* previous_sibling = nullptr;
  std::unique_ptr<EphemeralLink> ephemeral;
  std::unique_ptr<std::uint8_t[]> bytes;  // the name, then the data
  std::uint32_t data_bytes = 0;
  std::uint16_t name_bytes = 0;
  bool in_scope = false;
  std::uint64_t path_hash = 0;
  std::uint64_t data_hash = 0;
  Zxid czxid;
  Zxid mzxid;
  Zxid pzxid;
  WallTime ctime{};
  WallTime mtime{};
  std::int32_t version = 0;
  std::int32_t creates =
      0;  // children ever made: the stored cversion, which numbers sequential names
  std::uint32_t children = 0;

  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] std::string_view data() const;
  [[nodiscard]] SessionId owner() const { return ephemeral ? ephemeral->owner : SessionId{}; }
  [[nodiscard]] Stat stat() const;
};

class DataTree {
 public:
  DataTree();
  ~DataTree();
  DataTree(const DataTree&) = delete;
  DataTree& operator=(const DataTree&) = delete;

  [[nodiscard]] Node* find(std::string_view path) const;
  [[nodiscard]] Node* root() const { return root_; }
  [[nodiscard]] std::size_t size() const { return index_.size(); }
  [[nodiscard]] static std::string path_of(const Node& node);

  // A new node under `parent`, which must not have a child of that name. The parent's counter
  // becomes `parent_creates`, its pzxid at least `parent_pzxid` (never lower than it was).
  struct Facts {
    Zxid czxid;
    Zxid mzxid;
    Zxid pzxid;
    WallTime ctime{};
    WallTime mtime{};
    std::int32_t version = 0;
    std::int32_t creates = 0;
  };
  Node& add(Node& parent, std::string_view path, std::string_view data, const Facts& facts,
            std::int32_t parent_creates, Zxid parent_pzxid);
  void remove(Node& node, Zxid parent_pzxid);  // not the root, no children
  void set_data(Node& node, std::string_view data, std::int32_t version, Zxid zxid, WallTime time);
  void set_facts(Node& node, const Facts& facts);
  void set_owner(Node& node, SessionId owner);  // becomes the owner's youngest; had none before
  [[nodiscard]] const Node* oldest_ephemeral(SessionId owner) const;
  [[nodiscard]] std::size_t ephemeral_count(SessionId owner) const;
  [[nodiscard]] std::vector<SessionId> owners() const;  // sorted

  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  [[nodiscard]] std::uint64_t scope_digest() const { return scope_digest_; }

 private:
  struct EphemeralList {
    Node* oldest = nullptr;
    Node* youngest = nullptr;
    std::size_t count = 0;
  };
  class Change;  // takes a node's hash out of the sums and puts the new one in

  void forget_owner(Node& node);
  void link(Node& parent, Node& node);
  static void unlink(Node& node);

  NodeIndex index_;
  Node* root_ = nullptr;
  std::unordered_map<SessionId, EphemeralList> ephemerals_;
  std::uint64_t digest_ = 0;
  std::uint64_t scope_digest_ = 0;
};

}  // namespace ringside::coord
