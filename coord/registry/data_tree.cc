#include "coord/registry/data_tree.h"

#include <algorithm>
#include <array>

#include "config/base/check.h"
#include "coord/registry/hash.h"
#include "coord/registry/path.h"

namespace ringside::coord {
namespace {

std::uint64_t word(std::int32_t high, std::uint32_t low) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(high)) << 32U | low;
}

std::uint64_t hash_node(const Node& node) {
  const std::array<std::uint64_t, 10> words{
      node.path_hash,
      node.data_hash,
      node.czxid.packed,
      node.mzxid.packed,
      node.pzxid.packed,
      static_cast<std::uint64_t>(node.ctime.time_since_epoch().count()),
      static_cast<std::uint64_t>(node.mtime.time_since_epoch().count()),
      node.owner().value,
      word(node.version, node.data_bytes),
      word(node.creates, node.children),
  };
  return hash_words(words);
}

void put_bytes(Node& node, std::string_view name, std::string_view data) {
  auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(name.size() + data.size());
  std::copy(name.begin(), name.end(), bytes.get());
  std::copy(data.begin(), data.end(), bytes.get() + name.size());
  node.bytes = std::move(bytes);
  node.name_bytes = static_cast<std::uint16_t>(name.size());
  node.data_bytes = static_cast<std::uint32_t>(data.size());
  node.data_hash = hash_bytes(as_bytes(node.data()));
}

void put_facts(Node& node, const DataTree::Facts& facts) {
  node.czxid = facts.czxid;
  node.mzxid = facts.mzxid;
  node.pzxid = facts.pzxid;
  node.ctime = facts.ctime;
  node.mtime = facts.mtime;
  node.version = facts.version;
  node.creates = facts.creates;
}

// Compares from the end up, since nodes know their parents.
bool has_path(const Node& node, std::string_view path) {
  const Node* at = &node;
  for (; at->parent != nullptr; at = at->parent) {
    const std::string_view name = at->name();
    if (path.size() <= name.size() || !path.ends_with(name) ||
        path[path.size() - name.size() - 1] != '/') {
      return false;
    }
    path.remove_suffix(name.size() + 1);
  }
  return path.empty() || (at == &node && path == "/");
}

}  // namespace

std::string_view Node::name() const {
  return {reinterpret_cast<const char*>(bytes.get()), name_bytes};
}

std::string_view Node::data() const {
  return {reinterpret_cast<const char*>(bytes.get()) + name_bytes, data_bytes};
}

Stat Node::stat() const {
  Stat stat;
  stat.czxid = czxid;
  stat.mzxid = mzxid;
  stat.pzxid = pzxid;
  stat.ctime = ctime;
  stat.mtime = mtime;
  stat.version = version;
  // Wraps like ZooKeeper's, whose arithmetic is 32 bits wide.
  stat.cversion = static_cast<std::int32_t>(static_cast<std::uint32_t>(creates) * 2U - children);
  stat.ephemeral_owner = owner();
  stat.data_length = static_cast<std::int32_t>(data_bytes);
  stat.num_children = static_cast<std::int32_t>(children);
  return stat;
}

class DataTree::Change {
 public:
  Change(DataTree& tree, const Node& node) : tree_(tree), node_(node) {
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
  auto root = std::make_unique<Node>();
  put_bytes(*root, "", "");
  root->path_hash = hash_bytes(as_bytes("/"));
  root_ = root.release();
  index_.insert(root_);
  digest_ = hash_node(*root_);
}

DataTree::~DataTree() {
  index_.for_each([](Node* node) { delete node; });
}

Node* DataTree::find(std::string_view path) const {
  return index_.find(hash_bytes(as_bytes(path)),
                     [path](const Node& node) { return has_path(node, path); });
}

std::string DataTree::path_of(const Node& node) {
  if (node.parent == nullptr) {
    return "/";
  }
  std::size_t size = 0;
  for (const Node* at = &node; at->parent != nullptr; at = at->parent) {
    size += at->name_bytes + std::size_t{1};
  }
  std::string path(size, '/');
  for (const Node* at = &node; at->parent != nullptr; at = at->parent) {
    size -= at->name_bytes;
    path.replace(size, at->name_bytes, at->name());
    --size;
  }
  return path;
}

Node& DataTree::add(Node& parent, std::string_view path, std::string_view data, const Facts& facts,
                    std::int32_t parent_creates, Zxid parent_pzxid) {
  auto made = std::make_unique<Node>();
  put_bytes(*made, last_name(path), data);
  put_facts(*made, facts);
  made->path_hash = hash_bytes(as_bytes(path));
  made->in_scope = coord::in_scope(path);
  Node& node = *made.release();  // the index owns it from here on
  {
    const Change change(*this, parent);
    link(parent, node);
    parent.creates = parent_creates;
    parent.pzxid = std::max(parent.pzxid, parent_pzxid);
  }
  index_.insert(&node);
  digest_ += hash_node(node);
  if (node.in_scope) {
    scope_digest_ += hash_node(node);
  }
  return node;
}

void DataTree::remove(Node& node, Zxid parent_pzxid) {
  CHECK(node.parent != nullptr && node.children == 0);
  const std::uint64_t hash = hash_node(node);
  digest_ -= hash;
  if (node.in_scope) {
    scope_digest_ -= hash;
  }
  if (node.ephemeral) {
    forget_owner(node);
  }
  {
    const Change change(*this, *node.parent);
    unlink(node);
    node.parent->pzxid = std::max(node.parent->pzxid, parent_pzxid);
  }
  index_.erase(&node);
  delete &node;
}

void DataTree::set_data(Node& node, std::string_view data, std::int32_t version, Zxid zxid,
                        WallTime time) {
  const Change change(*this, node);
  const std::string name(node.name());
  put_bytes(node, name, data);
  node.version = version;
  node.mzxid = zxid;
  node.mtime = time;
}

void DataTree::set_facts(Node& node, const Facts& facts) {
  const Change change(*this, node);
  put_facts(node, facts);
}

void DataTree::set_owner(Node& node, SessionId owner) {
  CHECK(!node.ephemeral);
  const Change change(*this, node);
  EphemeralList& list = ephemerals_[owner];
  node.ephemeral = std::make_unique<EphemeralLink>(EphemeralLink{owner, list.youngest, nullptr});
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

std::vector<SessionId> DataTree::owners() const {
  std::vector<SessionId> ids;
  ids.reserve(ephemerals_.size());
  for (const auto& [id, list] : ephemerals_) {
    ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

void DataTree::link(Node& parent, Node& node) {
  node.parent = &parent;
  node.next_sibling = parent.first_child;
  if (parent.first_child != nullptr) {
    parent.first_child->previous_sibling = &node;
  }
  parent.first_child = &node;
  ++parent.children;
}

void DataTree::unlink(Node& node) {
  (node.previous_sibling != nullptr ? node.previous_sibling->next_sibling
                                    : node.parent->first_child) = node.next_sibling;
  if (node.next_sibling != nullptr) {
    node.next_sibling->previous_sibling = node.previous_sibling;
  }
  --node.parent->children;
}

}  // namespace ringside::coord
