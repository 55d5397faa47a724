// One znode in memory, and its number. Owned by NodeSlab, changed by DataTree alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "config/base/bytes.h"
#include "coord/registry/stat.h"

namespace ringside::coord {

// A node's place in the slab. Kept for as long as the node lives, then given to another. Slot 0 is
// the root, which is never anybody's child or sibling: in a link 0 means none.
using Slot = StrongId<struct SlotTag, std::uint32_t>;
inline constexpr Slot kRootSlot{};
inline constexpr std::uint32_t kMaxSlots = 1U << 28U;

struct Node;

struct EphemeralLink {  // what only an ephemeral node needs
  SessionId owner;
  std::uint64_t order = 0;  // of birth, among all ephemerals of this tree
  Node* older = nullptr;    // of the same owner
  Node* younger = nullptr;
};

// What a node keeps besides its name, its data and its place.
struct NodeFacts {
  Zxid czxid;
  Zxid mzxid;
  Zxid pzxid;
  WallTime ctime{};
  WallTime mtime{};
  std::int32_t version = 0;
  std::int32_t creates = 0;  // children ever made: the stored cversion, which numbers sequential
                             // names
  bool operator==(const NodeFacts&) const = default;
};

struct Node : NodeFacts {
  std::unique_ptr<EphemeralLink> ephemeral;
  std::unique_ptr<std::uint8_t[]> bytes;  // the name, then the data
  std::uint64_t path_hash = 0;
  std::uint64_t data_hash = 0;
  Slot slot;
  Slot parent;  // of the root: itself
  Slot first_child;
  Slot next_sibling;
  Slot previous_sibling;
  std::uint32_t children = 0;
  std::uint32_t data_bytes = 0;
  std::uint16_t name_bytes = 0;
  bool in_scope = false;

  [[nodiscard]] bool is_root() const { return slot == kRootSlot; }
  [[nodiscard]] std::string_view name() const {
    return {reinterpret_cast<const char*>(bytes.get()), name_bytes};
  }
  [[nodiscard]] std::string_view data() const {
    return {reinterpret_cast<const char*>(bytes.get()) + name_bytes, data_bytes};
  }
  [[nodiscard]] SessionId owner() const { return ephemeral ? ephemeral->owner : SessionId{}; }
  [[nodiscard]] const NodeFacts& facts() const { return *this; }
  [[nodiscard]] Stat stat() const;

  // Also hashes the data. `name` may be the node's own.
  void put_bytes(std::string_view name, std::string_view data);
  void put_facts(const NodeFacts& facts) { static_cast<NodeFacts&>(*this) = facts; }
};

// Over path, data and Stat: what digests are sums of.
std::uint64_t hash_node(const Node& node);

}  // namespace ringside::coord
