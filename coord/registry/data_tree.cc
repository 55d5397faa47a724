#include "coord/registry/data_tree.h"

#include <algorithm>

#include "config/base/check.h"
#include "coord/mutant.h"
#include "coord/registry/hash.h"
#include "coord/registry/path.h"

namespace ringside::coord {

class DataTree::Change {
 public:
  Change(DataTree& tree, const Node& node) : tree_(tree), node_(node) {
    if (!mutated(Mutant::kZk3127HalfOfAMulti)) {
      tree_.readers_.before_change(node);
    }
    count(0 - hash_node(node));
  }
  ~Change() { count(hash_node(node_)); }
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

 private:
  void count(std::uint64_t difference) {
    tree_.digest_ += difference;
    if (node_.in_scope) {
      tree_.scope_digest_ += difference;
    }
  }

  DataTree& tree_;
  const Node& node_;
};

DataTree::DataTree() {
  root()->put_bytes("", "");
  root()->path_hash = hash_bytes(as_bytes("/"));
  digest_ = hash_node(*root());
}

Node* DataTree::find(std::string_view path) const {
  if (path == "/") {
    return root();
  }
  return index_.find(hash_bytes(as_bytes(path)),
                     [&](const Node& node) { return has_path(node, path); });
}

// Compares from the end up, since nodes know their parents.
bool DataTree::has_path(const Node& node, std::string_view path) const {
  for (const Node* at = &node; !at->is_root(); at = &parent(*at)) {
    const std::string_view name = at->name();
    if (path.size() <= name.size() || !path.ends_with(name) ||
        path[path.size() - name.size() - 1] != '/') {
      return false;
    }
    path.remove_suffix(name.size() + 1);
  }
  return path.empty();
}

std::string DataTree::path_of(const Node& node) const {
  if (node.is_root()) {
    return "/";
  }
  std::size_t size = 0;
  for (const Node* at = &node; !at->is_root(); at = &parent(*at)) {
    size += at->name_bytes + std::size_t{1};
  }
  std::string path(size, '/');
  for (const Node* at = &node; !at->is_root(); at = &parent(*at)) {
    size -= at->name_bytes;
    path.replace(size, at->name_bytes, at->name());
    --size;
  }
  return path;
}

Node& DataTree::add(Node& parent, std::string_view path, std::string_view data, const Facts& facts,
                    std::int32_t parent_creates, Zxid parent_pzxid) {
  Node& node = nodes_.take();
  node.put_bytes(last_name(path), data);
  node.put_facts(facts);
  node.path_hash = hash_bytes(as_bytes(path));
  node.in_scope = coord::in_scope(path);
  {
    const Change change(*this, parent);
    link(parent, node);
    parent.creates = parent_creates;
    parent.pzxid = std::max(parent.pzxid, parent_pzxid);
  }
  enter(node);
  return node;
}

void DataTree::enter(Node& node) {
  index_.insert(node);
  const std::uint64_t hash = hash_node(node);
  digest_ += hash;
  if (node.in_scope) {
    scope_digest_ += hash;
    scope_.insert(node.slot);
  }
}

void DataTree::remove(Node& node, Zxid parent_pzxid) {
  CHECK(!node.is_root() && node.children == 0);
  readers_.before_change(node);
  const std::uint64_t hash = hash_node(node);
  digest_ -= hash;
  if (node.in_scope) {
    scope_digest_ -= hash;
    scope_.erase(node.slot);
  }
  if (node.ephemeral) {
    forget_owner(node);
  }
  {
    Node& above = nodes_.at(node.parent);
    const Change change(*this, above);
    unlink(node);
    above.pzxid = std::max(above.pzxid, parent_pzxid);
  }
  index_.erase(node);
  nodes_.give_back(node);
}

void DataTree::set_data(Node& node, std::string_view data, std::int32_t version, Zxid zxid,
                        WallTime time) {
  const Change change(*this, node);
  node.put_bytes(node.name(), data);
  node.version = version;
  node.mzxid = zxid;
  node.mtime = time;
}

void DataTree::set_owner(Node& node, SessionId owner) {
  CHECK(!node.ephemeral);
  const Change change(*this, node);
  node.ephemeral = std::make_unique<EphemeralLink>(EphemeralLink{.owner = owner});
  link_owner(node);
}

void DataTree::link_owner(Node& node) {
  EphemeralList& list = ephemerals_[node.owner()];
  node.ephemeral->order = ++births_;
  node.ephemeral->older = list.youngest;
  (list.youngest != nullptr ? list.youngest->ephemeral->younger : list.oldest) = &node;
  list.youngest = &node;
  ++list.count;
}

void DataTree::forget_owner(Node& node) {
  const auto found = ephemerals_.find(node.owner());
  EphemeralList& list = found->second;
  Node* older = node.ephemeral->older;
  Node* younger = node.ephemeral->younger;
  (older != nullptr ? older->ephemeral->younger : list.oldest) = younger;
  (younger != nullptr ? younger->ephemeral->older : list.youngest) = older;
  if (--list.count == 0) {
    ephemerals_.erase(found);
  }
}

const Node* DataTree::oldest_ephemeral(SessionId owner) const {
  const auto found = ephemerals_.find(owner);
  return found == ephemerals_.end() ? nullptr : found->second.oldest;
}

std::size_t DataTree::ephemeral_count(SessionId owner) const {
  const auto found = ephemerals_.find(owner);
  return found == ephemerals_.end() ? 0 : found->second.count;
}

void DataTree::link(Node& parent, Node& node) {
  node.parent = parent.slot;
  node.next_sibling = parent.first_child;
  if (parent.first_child) {
    nodes_.at(parent.first_child).previous_sibling = node.slot;
  }
  parent.first_child = node.slot;
  ++parent.children;
}

void DataTree::unlink(Node& node) {
  Node& above = nodes_.at(node.parent);
  (node.previous_sibling ? nodes_.at(node.previous_sibling).next_sibling : above.first_child) =
      node.next_sibling;
  if (node.next_sibling) {
    nodes_.at(node.next_sibling).previous_sibling = node.previous_sibling;
  }
  --above.children;
}

bool DataTree::dismantle(std::size_t nodes) {
  readers_.end();
  index_.clear();
  for (std::size_t ended = 0; ended < nodes && !ephemerals_.empty(); ++ended) {
    ephemerals_.erase(ephemerals_.begin());
  }
  return ephemerals_.empty() && nodes_.dismantle(nodes);
}

}  // namespace ringside::coord
