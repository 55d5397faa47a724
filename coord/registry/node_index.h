// Finds a znode by its path: extendible hashing (Fagin and others, 1979). One owner (DataTree), one
// thread.
//
// A directory, indexed by the first bits of a path's hash, points to segments of at most
// kSegmentSlots slot numbers. A segment that is full splits in two, so that no insert ever moves
// more than one segment's worth of nodes, however large the tree. Within a segment: linear probing
// by the hash's last bits, at most three quarters full, erased by shifting back (Knuth 6.4, R). The
// nodes keep the hash of their path, so that a segment holds nothing but their numbers. The root
// is not in it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "coord/registry/node_slab.h"

namespace ringside::coord {

class NodeIndex {
 public:
  explicit NodeIndex(const NodeSlab& nodes);

  // The first node with this hash for which `same` holds, or null.
  template <typename Same>
  [[nodiscard]] Node* find(std::uint64_t hash, Same same) const {
    const Segment& segment = *directory_[place(hash)];
    for (std::size_t i = segment.home(hash); segment.slots[i]; i = segment.next(i)) {
      Node& node = nodes_.at(segment.slots[i]);
      if (node.path_hash == hash && same(node)) {
        return &node;
      }
    }
    return nullptr;
  }
  void insert(const Node& node);  // needs: not in it
  void erase(const Node& node);   // needs: in it
  void clear();

 private:
  static constexpr std::size_t kSegmentSlots = 1024;

  struct Segment {
    std::vector<Slot> slots;  // a power of two; 0: empty
    std::size_t used = 0;
    unsigned depth = 0;  // how many first bits of the hash its nodes have in common

    [[nodiscard]] std::size_t home(std::uint64_t hash) const { return hash & (slots.size() - 1); }
    [[nodiscard]] std::size_t next(std::size_t i) const { return (i + 1) & (slots.size() - 1); }
    [[nodiscard]] bool full() const { return (used + 1) * 4 > slots.size() * 3; }
    void put(std::uint64_t hash, Slot slot);
  };

  [[nodiscard]] std::size_t place(std::uint64_t hash) const {
    return depth_ == 0 ? 0 : hash >> (64U - depth_);
  }
  Segment& add_segment(std::size_t slots, unsigned depth);
  void make_room(std::uint64_t hash);
  void enlarge(Segment& segment);
  void split(Segment& segment, std::uint64_t hash);

  const NodeSlab& nodes_;
  std::vector<std::unique_ptr<Segment>> segments_;
  std::vector<Segment*> directory_;  // 2^depth_
  unsigned depth_ = 0;
  std::size_t size_ = 0;
};

}  // namespace ringside::coord
