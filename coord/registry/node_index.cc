#include "coord/registry/node_index.h"

#include <algorithm>
#include <utility>

#include "coord/registry/data_tree.h"

namespace ringside::coord {

std::uint64_t NodeIndex::hash_of(const Node* node) {
  return node->path_hash;
}

void NodeIndex::insert(Node* node) {
  if ((size_ + 1) * 4 > slots_.size() * 3) {
    grow();
  }
  place(node);
  ++size_;
}

void NodeIndex::erase(Node* node) {
  std::size_t hole = home(node->path_hash);
  while (slots_[hole] != node) {
    hole = next(hole);
  }
  // Whoever stands behind the hole and would not be found past it moves into it.
  for (std::size_t i = next(hole); slots_[i] != nullptr; i = next(i)) {
    const std::size_t wanted = home(slots_[i]->path_hash);
    const std::size_t mask = slots_.size() - 1;
    if (((i - wanted) & mask) >= ((i - hole) & mask)) {
      slots_[hole] = slots_[i];
      hole = i;
    }
  }
  slots_[hole] = nullptr;
  --size_;
}

void NodeIndex::place(Node* node) {
  std::size_t i = home(node->path_hash);
  while (slots_[i] != nullptr) {
    i = next(i);
  }
  slots_[i] = node;
}

void NodeIndex::grow() {
  constexpr std::size_t kFirstSlots = 16;
  std::vector<Node*> before(std::max(kFirstSlots, slots_.size() * 2));
  std::swap(before, slots_);
  for (Node* node : before) {
    if (node != nullptr) {
      place(node);
    }
  }
}

}  // namespace ringside::coord
