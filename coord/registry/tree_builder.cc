#include "coord/registry/tree_builder.h"

#include <algorithm>

#include <fmt/format.h>

#include "coord/registry/hash.h"
#include "coord/registry/path.h"
#include "coord/registry/request.h"

namespace ringside::coord {
namespace {

std::unexpected<Error> bad(std::string why) {
  return fail(ErrorCode::kCorrupt, "registry snapshot refused: " + std::move(why));
}

}  // namespace

const Slot* TreeBuilder::SlotMap::find(Slot there) const {
  const std::size_t page = there.value / kPageSlots;
  if (page >= pages_.size() || pages_[page] == nullptr) {
    return nullptr;
  }
  const Slot* here = &pages_[page][there.value % kPageSlots];
  return *here == kNone ? nullptr : here;
}

bool TreeBuilder::SlotMap::insert(Slot there, Slot here) {
  const std::size_t page = there.value / kPageSlots;
  if (page >= pages_.size()) {
    pages_.resize(page + 1);
  }
  if (pages_[page] == nullptr) {
    pages_[page] = std::make_unique_for_overwrite<Slot[]>(kPageSlots);
    std::fill_n(pages_[page].get(), kPageSlots, kNone);
  }
  Slot& entry = pages_[page][there.value % kPageSlots];
  if (entry != kNone) {
    return false;
  }
  entry = here;
  return true;
}

Status TreeBuilder::add(const NodeRecord& record) {
  if (record.slot.value >= kMaxSlots || record.parent.value >= kMaxSlots) {
    return bad(fmt::format("node {} has a number out of bounds", record.slot.value));
  }
  const bool root = record.slot == kRootSlot;
  if (root && (scoped_ || record.owner || record.parent != kRootSlot || !record.name.empty())) {
    return bad("its root is unsound");
  }
  Node& node = root ? *tree_.root() : tree_.nodes_.take();
  ++added_;
  if (!slots_.insert(record.slot, node.slot)) {
    return bad(fmt::format("node {} is there twice", record.slot.value));
  }
  node.put_bytes(record.name, record.data);
  node.put_facts(record.facts);
  node.parent = record.parent;  // as numbered there, until it is linked
  if (record.owner) {
    node.ephemeral = std::make_unique<EphemeralLink>(EphemeralLink{.owner = record.owner});
    if (!births_.try_emplace({record.owner, record.order}, node.slot).second) {
      return bad(fmt::format("session {:#x} owns two nodes of one age", record.owner.value));
    }
  }
  return {};
}

Result<bool> TreeBuilder::finish(std::size_t nodes) {
  for (std::size_t done = 0; done < nodes && stage_ != Stage::kDone; ++done) {
    Status status;
    switch (stage_) {
      case Stage::kLink: {
        const auto next = tree_.nodes_.used().from(Slot{at_.value + 1});
        if (next) {
          at_ = *next;
          status = link(at_);
        } else {
          at_ = kRootSlot;
          stage_ = Stage::kWalk;
        }
        break;
      }
      case Stage::kWalk: status = walk(); break;
      case Stage::kOwners: status = own(); break;
      case Stage::kDone: break;
    }
    if (!status) {
      return std::unexpected(status.error());
    }
  }
  return stage_ == Stage::kDone;
}

Status TreeBuilder::link(Slot slot) {
  Node& node = tree_.nodes_.at(slot);
  const Slot* found = slots_.find(node.parent);
  // The scope alone has no record of the root, and yet its uppermost node is below it.
  const Slot above = found != nullptr ? *found : kRootSlot;
  if (found == nullptr && !(scoped_ && node.parent == kRootSlot)) {
    return bad(fmt::format("the parent {} of {:?} is missing", node.parent.value, node.name()));
  }
  Node& parent = tree_.nodes_.at(above);
  if (parent.ephemeral) {
    return bad(fmt::format("the ephemeral {:?} has a child", parent.name()));
  }
  tree_.link(parent, node);
  return {};
}

// One node: enters it, and goes on to the next one below, beside or above.
Status TreeBuilder::walk() {
  Node& node = tree_.nodes_.at(at_);
  if (node.is_root()) {
    tree_.digest_ = hash_node(node);
    if (!scoped_ && slots_.find(kRootSlot) == nullptr) {
      return bad("its root is missing");
    }
  } else if (Status status = enter(node); !status) {
    return status;
  }
  const bool held = !scoped_ || !node.is_root();
  if (held && node.children > static_cast<std::uint32_t>(node.creates)) {
    return bad(fmt::format("{:?} has children that were never made", path_));
  }
  if (!on_to_next()) {
    if (met_ + 1 != tree_.size()) {
      return bad("nodes are not below its root");
    }
    slots_ = {};
    stage_ = Stage::kOwners;
  }
  return {};
}

Status TreeBuilder::enter(Node& node) {
  if (!valid_name(node.name())) {
    return bad(fmt::format("{:?} is no name", node.name()));
  }
  path_.append("/").append(node.name());
  node.path_hash = hash_bytes(as_bytes(path_));
  node.in_scope = coord::in_scope(path_);
  if (path_.size() > kMaxPathBytes || (scoped_ && !node.in_scope)) {
    return bad(fmt::format("{:?} has no place", path_));
  }
  const auto same = [&](const Node& other) {
    return other.parent == node.parent && other.name() == node.name();
  };
  if (tree_.index_.find(node.path_hash, same) != nullptr) {
    return bad(fmt::format("{:?} is there twice", path_));
  }
  tree_.enter(node);
  ++met_;
  return {};
}

// False: that was the last.
bool TreeBuilder::on_to_next() {
  if (const Node* child = tree_.first_child(tree_.at(at_))) {
    at_ = child->slot;
    return true;
  }
  while (at_ != kRootSlot) {
    const Node& node = tree_.at(at_);
    path_.resize(path_.size() - node.name_bytes - 1);
    if (node.next_sibling) {
      at_ = node.next_sibling;
      return true;
    }
    at_ = node.parent;
  }
  return false;
}

Status TreeBuilder::own() {
  if (births_.empty()) {
    stage_ = Stage::kDone;
    return {};
  }
  const auto [birth, slot] = *births_.begin();
  births_.erase(births_.begin());
  Node& node = tree_.nodes_.at(slot);
  const auto list = tree_.ephemerals_.find(birth.first);
  if (list == tree_.ephemerals_.end()) {
    if (!scoped_ && !session_known_(birth.first)) {
      return bad(fmt::format("session {:#x} owns nodes and is not there", birth.first.value));
    }
  } else if (node.czxid < list->second.youngest->czxid) {
    return bad(fmt::format("the nodes of session {:#x} are out of order", birth.first.value));
  }
  tree_.link_owner(node);
  return {};
}

}  // namespace ringside::coord
