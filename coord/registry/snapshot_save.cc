#include <algorithm>
#include <unordered_map>

#include "coord/registry/snapshot_format.h"
#include "coord/registry/state.h"

namespace ringside::coord {
namespace {

class Saver {
 public:
  Saver(const RegistryState& state, bool scope_only) : state_(state), scope_only_(scope_only) {}

  Bytes run() {
    out_.u32(kSnapshotMagic);
    out_.u16(kSnapshotFormat);
    out_.boolean(scope_only_);
    out_.u64(state_.applied.packed);
    nodes();
    owners();
    sessions();
    secret();
    return out_.take();
  }

 private:
  void nodes() {
    std::vector<const Node*> ahead{state_.tree.root()};  // the next one last
    while (!ahead.empty()) {
      const Node* node = ahead.back();
      ahead.pop_back();
      const std::vector<const Node*> below = children(*node);
      if (scope_only_ && node->parent == nullptr) {
        put(Node{}, "", below.size());
      } else {
        put(*node, node->name(), below.size());
      }
      if (node->ephemeral) {
        numbers_.emplace(node, count_);
      }
      ++count_;
      ahead.insert(ahead.end(), below.rbegin(), below.rend());
    }
  }

  [[nodiscard]] std::vector<const Node*> children(const Node& node) const {
    std::vector<const Node*> all;
    for (const Node* child = node.first_child; child != nullptr; child = child->next_sibling) {
      if (!scope_only_ || child->in_scope) {
        all.push_back(child);
      }
    }
    std::sort(all.begin(), all.end(),
              [](const Node* a, const Node* b) { return a->name() < b->name(); });
    return all;
  }

  void put(const Node& node, std::string_view name, std::size_t children) {
    out_.u16(static_cast<std::uint16_t>(name.size()));
    out_.raw(as_bytes(name));
    out_.blob(as_bytes(node.data()));
    out_.u64(node.czxid.packed);
    out_.u64(node.mzxid.packed);
    out_.u64(node.pzxid.packed);
    out_.i64(node.ctime.time_since_epoch().count());
    out_.i64(node.mtime.time_since_epoch().count());
    out_.i32(node.version);
    out_.i32(node.creates);
    out_.u32(static_cast<std::uint32_t>(children));
  }

  void owners() {
    const std::size_t count_at = out_.size();
    out_.u32(0);
    std::uint32_t owners = 0;
    for (const SessionId owner : state_.tree.owners()) {
      std::vector<std::uint32_t> numbers;
      for (const Node* node = state_.tree.oldest_ephemeral(owner); node != nullptr;
           node = node->ephemeral->younger) {
        if (const auto found = numbers_.find(node); found != numbers_.end()) {
          numbers.push_back(found->second);
        }
      }
      if (numbers.empty()) {
        continue;  // all of them out of scope
      }
      ++owners;
      out_.u64(owner.value);
      out_.u32(static_cast<std::uint32_t>(numbers.size()));
      for (const std::uint32_t number : numbers) {
        out_.u32(number);
      }
    }
    out_.patch_u32(count_at, owners);
  }

  void sessions() {
    if (scope_only_) {
      out_.u32(0);
      return;
    }
    out_.u32(static_cast<std::uint32_t>(state_.sessions.size()));
    for (const auto& [id, session] : state_.sessions) {
      put_session(out_, id, session);
    }
  }

  void secret() {
    const RingSecret kept = scope_only_ ? RingSecret{} : state_.secret;
    out_.u64(kept.k0);
    out_.u64(kept.k1);
  }

  const RegistryState& state_;
  bool scope_only_;
  ByteWriter out_;
  std::unordered_map<const Node*, std::uint32_t> numbers_;  // of ephemerals
  std::uint32_t count_ = 0;
};

}  // namespace

Bytes save_state(const RegistryState& state, bool scope_only) {
  return Saver(state, scope_only).run();
}

}  // namespace ringside::coord
