#include "coord/registry/node.h"

#include <algorithm>
#include <array>

#include "coord/registry/hash.h"

namespace ringside::coord {
namespace {

std::uint64_t word(std::int32_t high, std::uint32_t low) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(high)) << 32U | low;
}

}  // namespace

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

void Node::put_bytes(std::string_view name, std::string_view data) {
  auto made = std::make_unique_for_overwrite<std::uint8_t[]>(name.size() + data.size());
  std::copy(name.begin(), name.end(), made.get());
  std::copy(data.begin(), data.end(), made.get() + name.size());
  bytes = std::move(made);
  name_bytes = static_cast<std::uint16_t>(name.size());
  data_bytes = static_cast<std::uint32_t>(data.size());
  data_hash = hash_bytes(as_bytes(this->data()));
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

}  // namespace ringside::coord
