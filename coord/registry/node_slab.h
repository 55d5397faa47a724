// Where the nodes of a tree live: blocks of them, in which a node is found by its slot and never
// moves. One owner (DataTree), one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "coord/registry/node.h"
#include "coord/registry/slot_set.h"

namespace ringside::coord {

class NodeSlab {
 public:
  NodeSlab();  // holds the root

  Node& take();           // an empty node
  void give_back(Node&);  // needs: not the root
  [[nodiscard]] Node& at(Slot slot) const {
    return blocks_[slot.value / kBlockNodes][slot.value % kBlockNodes];
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const SlotSet& used() const { return used_; }

  // Ends the nodes of whole blocks, about `nodes` of them, with all that they hold; true: none is
  // left. Nothing else may be called from then on.
  bool dismantle(std::size_t nodes);

 private:
  static constexpr std::uint32_t kBlockNodes = 256;

  std::vector<std::unique_ptr<Node[]>> blocks_;
  SlotSet used_;
  std::uint32_t made_ = 0;  // slots ever used
  Slot free_;               // given back last; the others hang on it by next_sibling
  std::size_t size_ = 0;
};

}  // namespace ringside::coord
