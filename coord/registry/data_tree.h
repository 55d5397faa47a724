// The znodes in memory. Called by Registry alone, which has checked that each change fits. Owns the
// nodes; one thread.
//
// A node holds its name, not its path, in one allocation with its data; nodes live in a slab and
// know their relations by slot; NodeIndex finds them by path. About 250 bytes per znode with 100
// bytes of data, measured by MemoryPerZnode in the tests.
//
// Invariants: the root is always there; digest() is the sum of the hashes of all nodes, kept up
// with each change; a session's ephemerals form a list in creation order; readers() hear of a node
// before it changes; no change costs time in proportion to the tree.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "coord/registry/frozen.h"
#include "coord/registry/node_index.h"
#include "coord/registry/node_slab.h"

namespace ringside::coord {

class DataTree {
 public:
  DataTree();
  ~DataTree() = default;
  DataTree(const DataTree&) = delete;
  DataTree& operator=(const DataTree&) = delete;

  [[nodiscard]] Node* find(std::string_view path) const;
  [[nodiscard]] Node* root() const { return &nodes_.at(kRootSlot); }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] const Node& parent(const Node& node) const { return nodes_.at(node.parent); }
  // Null after the last.
  [[nodiscard]] const Node* first_child(const Node& node) const { return get(node.first_child); }
  [[nodiscard]] const Node* next_sibling(const Node& node) const { return get(node.next_sibling); }
  [[nodiscard]] std::string path_of(const Node& node) const;

  // A new node under `parent`, which must not have a child of that name. The parent's counter
  // becomes `parent_creates`, its pzxid at least `parent_pzxid` (never lower than it was).
  using Facts = NodeFacts;
  Node& add(Node& parent, std::string_view path, std::string_view data, const Facts& facts,
            std::int32_t parent_creates, Zxid parent_pzxid);
  void remove(Node& node, Zxid parent_pzxid);  // not the root, no children
  void set_data(Node& node, std::string_view data, std::int32_t version, Zxid zxid, WallTime time);
  void set_owner(Node& node, SessionId owner);  // becomes the owner's youngest; had none before
  [[nodiscard]] const Node* oldest_ephemeral(SessionId owner) const;
  [[nodiscard]] std::size_t ephemeral_count(SessionId owner) const;

  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  [[nodiscard]] std::uint64_t scope_digest() const { return scope_digest_; }

  // For snapshots: the nodes by slot, all or those in kObserverScope, and who reads them.
  [[nodiscard]] const Node& at(Slot slot) const { return nodes_.at(slot); }
  [[nodiscard]] const SlotSet& slots(bool scope_only) const {
    return scope_only ? scope_ : nodes_.used();
  }
  [[nodiscard]] FrozenReaders& readers() const { return readers_; }

  // As Registry::dismantle.
  bool dismantle(std::size_t nodes);

 private:
  friend class TreeBuilder;
  struct EphemeralList {
    Node* oldest = nullptr;
    Node* youngest = nullptr;
    std::size_t count = 0;
  };
  class Change;  // tells the readers, takes a node's hash out of the sums and puts the new one in

  [[nodiscard]] const Node* get(Slot link) const { return link ? &nodes_.at(link) : nullptr; }
  [[nodiscard]] bool has_path(const Node& node, std::string_view path) const;
  void enter(Node& node);  // into index, sums and scope, with its path_hash and in_scope
  void link_owner(Node& node);
  void forget_owner(Node& node);
  void link(Node& parent, Node& node);
  void unlink(Node& node);

  mutable FrozenReaders readers_;
  NodeSlab nodes_;
  NodeIndex index_{nodes_};
  SlotSet scope_;
  std::map<SessionId, EphemeralList> ephemerals_;
  std::uint64_t births_ = 0;  // of ephemerals
  std::uint64_t digest_ = 0;
  std::uint64_t scope_digest_ = 0;
};

}  // namespace ringside::coord
