#include "coord/registry/node_index.h"

#include <algorithm>
#include <utility>

namespace ringside::coord {
namespace {

constexpr std::size_t kFirstSlots = 16;
// The directory has an entry for this many nodes at most: some eight times what hashes that are
// spread well need. Names chosen to collide enlarge segments instead.
constexpr std::size_t kNodesPerEntry = 64;

}  // namespace

NodeIndex::NodeIndex(const NodeSlab& nodes) : nodes_(nodes) {
  clear();
}

void NodeIndex::clear() {
  segments_.clear();
  depth_ = 0;
  size_ = 0;
  directory_.assign(1, &add_segment(kFirstSlots, 0));
}

void NodeIndex::insert(const Node& node) {
  while (directory_[place(node.path_hash)]->full()) {
    make_room(node.path_hash);
  }
  directory_[place(node.path_hash)]->put(node.path_hash, node.slot);
  ++size_;
}

void NodeIndex::erase(const Node& node) {
  Segment& segment = *directory_[place(node.path_hash)];
  auto& slots = segment.slots;
  std::size_t hole = segment.home(node.path_hash);
  while (slots[hole] != node.slot) {
    hole = segment.next(hole);
  }
  // Whoever stands behind the hole and would not be found past it moves into it.
  for (std::size_t i = segment.next(hole); slots[i]; i = segment.next(i)) {
    const std::size_t wanted = segment.home(nodes_.at(slots[i]).path_hash);
    const std::size_t mask = slots.size() - 1;
    if (((i - wanted) & mask) >= ((i - hole) & mask)) {
      slots[hole] = slots[i];
      hole = i;
    }
  }
  slots[hole] = Slot{};
  --segment.used;
  --size_;
}

void NodeIndex::Segment::put(std::uint64_t hash, Slot slot) {
  std::size_t i = home(hash);
  while (slots[i]) {
    i = next(i);
  }
  slots[i] = slot;
  ++used;
}

NodeIndex::Segment& NodeIndex::add_segment(std::size_t slots, unsigned depth) {
  segments_.push_back(std::make_unique<Segment>());
  segments_.back()->slots.resize(slots);
  segments_.back()->depth = depth;
  return *segments_.back();
}

void NodeIndex::make_room(std::uint64_t hash) {
  Segment& full = *directory_[place(hash)];
  const bool entries = full.depth < depth_ || directory_.size() * 2 * kNodesPerEntry <= size_;
  if (full.slots.size() < kSegmentSlots || !entries) {
    enlarge(full);
  } else {
    split(full, hash);
  }
}

void NodeIndex::enlarge(Segment& segment) {
  std::vector<Slot> before(segment.slots.size() * 2);
  std::swap(before, segment.slots);
  segment.used = 0;
  for (const Slot slot : before) {
    if (slot) {
      segment.put(nodes_.at(slot).path_hash, slot);
    }
  }
}

void NodeIndex::split(Segment& segment, std::uint64_t hash) {
  if (segment.depth == depth_) {
    std::vector<Segment*> twice;
    twice.reserve(directory_.size() * 2);
    for (Segment* entry : directory_) {
      twice.insert(twice.end(), 2, entry);
    }
    directory_ = std::move(twice);
    ++depth_;
  }
  const unsigned depth = ++segment.depth;
  Segment& upper = add_segment(segment.slots.size(), depth);
  // The segment had a run of entries; those whose next bit is one are the second half of it.
  const std::size_t run = std::size_t{1} << (depth_ - depth + 1);
  const std::size_t first = place(hash) & ~(run - 1);
  std::fill_n(directory_.begin() + static_cast<std::ptrdiff_t>(first + run / 2), run / 2, &upper);

  const std::vector<Slot> before =
      std::exchange(segment.slots, std::vector<Slot>(upper.slots.size()));
  segment.used = 0;
  for (const Slot slot : before) {
    if (slot) {
      const std::uint64_t its = nodes_.at(slot).path_hash;
      directory_[place(its)]->put(its, slot);
    }
  }
}

}  // namespace ringside::coord
