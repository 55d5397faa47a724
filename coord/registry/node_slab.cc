#include "coord/registry/node_slab.h"

#include "config/base/check.h"

namespace ringside::coord {

NodeSlab::NodeSlab() {
  take();
}

Node& NodeSlab::take() {
  Slot slot = free_;
  if (slot == kRootSlot) {
    CHECK(made_ < kMaxSlots);  // 64 GiB of nodes: memory was gone before
    slot = Slot{made_++};
    if (slot.value / kBlockNodes == blocks_.size()) {
      blocks_.push_back(std::make_unique<Node[]>(kBlockNodes));
    }
  } else {
    free_ = at(slot).next_sibling;
  }
  Node& node = at(slot);
  node.slot = slot;
  node.next_sibling = Slot{};
  used_.insert(slot);
  ++size_;
  return node;
}

void NodeSlab::give_back(Node& node) {
  CHECK(!node.is_root());
  const Slot slot = node.slot;
  node = Node{};
  node.next_sibling = free_;
  free_ = slot;
  used_.erase(slot);
  --size_;
}

bool NodeSlab::dismantle(std::size_t nodes) {
  for (std::size_t ended = 0; ended < nodes && !blocks_.empty(); ended += kBlockNodes) {
    blocks_.pop_back();
  }
  return blocks_.empty();
}

}  // namespace ringside::coord
