// Snapshots of the registry.
//
//   u32 magic, u16 format, u8 scoped, u64 applied zxid
//   the tree from the root, each node before its children, children sorted by name:
//     u16 name length and name, u32 data length and data, u64 czxid, mzxid, pzxid, i64 ctime_ms,
//     mtime_ms, i32 version, creates, u32 children
//   u32 owners, by id: u64 session, u32 count and the u32 numbers of its nodes in creation order
//   u32 sessions, by id: u64 session, i64 timeout_ms
//
// A node is numbered by its place in the tree. So an orphan or a node that is there twice cannot be
// written down, and equal states give equal bytes. The check of the whole is the storage's.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "coord/registry/path.h"
#include "coord/registry/state.h"

#include "coord/registry/hash.h"

namespace ringside::coord {
namespace {

constexpr std::uint32_t kMagic = 0x52534e50;  // RSNP
constexpr std::uint16_t kFormat = 1;
constexpr std::size_t kMinOwnerBytes = 16;
constexpr std::size_t kSessionBytes = 16;
constexpr std::size_t kNumberBytes = 4;

class Saver {
 public:
  Saver(const RegistryState& state, bool scope_only) : state_(state), scope_only_(scope_only) {}

  Bytes run() {
    out_.u32(kMagic);
    out_.u16(kFormat);
    out_.boolean(scope_only_);
    out_.u64(state_.applied.packed);
    nodes();
    owners();
    sessions();
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
    for (const auto& [id, timeout] : state_.sessions) {
      out_.u64(id.value);
      out_.i64(timeout.count());
    }
  }

  const RegistryState& state_;
  bool scope_only_;
  ByteWriter out_;
  std::unordered_map<const Node*, std::uint32_t> numbers_;  // of ephemerals
  std::uint32_t count_ = 0;
};

// Untrusted bytes: every step says what is wrong, or nothing.
class Loader {
 public:
  Loader(RegistryState& state, ByteView snapshot) : state_(state), in_(snapshot) {}

  Status run() {
    const bool ours = in_.u32() == kMagic;
    const std::uint16_t format = in_.u16();
    if (!ours) {
      return bad("it does not begin as one");
    }
    if (in_.ok() && format != kFormat) {
      return fail(ErrorCode::kUnsupported,
                  fmt::format("registry snapshot of format {}, this version reads format {}",
                              format, kFormat));
    }
    state_.scoped = in_.boolean();
    state_.applied = Zxid{in_.u64()};
    for (auto step : {&Loader::nodes, &Loader::owners, &Loader::sessions}) {
      if (Status status = (this->*step)(); !status) {
        return status;
      }
    }
    return in_.done() ? Status{} : bad("its length is wrong");
  }

 private:
  struct Record {
    std::string_view name;
    std::string_view data;
    DataTree::Facts facts;
    std::uint32_t children = 0;
  };
  struct Level {  // a node whose children are being read
    Node* node;
    std::uint32_t left;
    std::string_view last_name;
    std::size_t path_bytes;
  };

  static Status bad(std::string_view why) {
    return fail(ErrorCode::kCorrupt, fmt::format("registry snapshot refused: {}", why));
  }

  Record read() {
    Record record;
    record.name = as_text(in_.raw(in_.u16()));
    record.data = as_text(in_.blob(kMaxDataBytes));
    record.facts.czxid = Zxid{in_.u64()};
    record.facts.mzxid = Zxid{in_.u64()};
    record.facts.pzxid = Zxid{in_.u64()};
    record.facts.ctime = WallTime{milliseconds{in_.i64()}};
    record.facts.mtime = WallTime{milliseconds{in_.i64()}};
    record.facts.version = in_.i32();
    record.facts.creates = in_.i32();
    record.children = in_.u32();
    return record;
  }

  // Zxids in order and not after the snapshot, and no child that was never made.
  [[nodiscard]] bool sound(const Record& record, bool held) const {
    const auto& facts = record.facts;
    return in_.ok() && facts.czxid <= facts.mzxid && facts.czxid <= facts.pzxid &&
           facts.mzxid <= state_.applied && facts.pzxid <= state_.applied && facts.creates >= 0 &&
           (!held || record.children <= static_cast<std::uint32_t>(facts.creates));
  }

  Status nodes() {
    const Record root = read();
    if (!sound(root, !state_.scoped) || !root.name.empty()) {
      return bad("its root is unsound");
    }
    Node& top = *state_.tree.root();
    state_.tree.set_data(top, root.data, root.facts.version, root.facts.mzxid, root.facts.mtime);
    state_.tree.set_facts(top, root.facts);
    nodes_.push_back(&top);
    std::vector<Level> levels{{&top, root.children, {}, 0}};
    std::string path;
    while (!levels.empty()) {
      Level& level = levels.back();
      path.resize(level.path_bytes);
      if (level.left == 0) {
        levels.pop_back();
        continue;
      }
      --level.left;
      const Record record = read();
      if (!sound(record, true) || !valid_name(record.name) || record.name <= level.last_name) {
        return bad(fmt::format("node {} is unsound", nodes_.size()));
      }
      level.last_name = record.name;
      path.append("/").append(record.name);
      if (path.size() > kMaxPathBytes || (state_.scoped && !in_scope(path))) {
        return bad(fmt::format("node {} has no place", nodes_.size()));
      }
      Node& node = state_.tree.add(*level.node, path, record.data, record.facts,
                                   level.node->creates, Zxid{});
      nodes_.push_back(&node);
      levels.push_back({&node, record.children, {}, path.size()});
    }
    return {};
  }

  Status owners() {
    const std::uint32_t owners = in_.count(kMinOwnerBytes);
    SessionId before;
    for (std::uint32_t i = 0; i < owners; ++i) {
      const SessionId owner{in_.u64()};
      const std::uint32_t count = in_.count(kNumberBytes);
      if (owner <= before || count == 0 || count > kMaxEphemeralsPerSession) {
        return bad("the owners of ephemeral nodes are out of order");
      }
      before = owner;
      Zxid youngest;
      for (std::uint32_t n = 0; n < count; ++n) {
        const std::uint32_t number = in_.u32();
        if (!in_.ok() || number == 0 || number >= nodes_.size() ||
            !can_own(*nodes_[number], youngest)) {
          return bad(fmt::format("session {:#x} cannot own node {}", owner.value, number));
        }
        youngest = nodes_[number]->czxid;
        state_.tree.set_owner(*nodes_[number], owner);
      }
    }
    return {};
  }

  static bool can_own(const Node& node, Zxid youngest) {
    return !node.ephemeral && node.children == 0 && node.czxid >= youngest;
  }

  Status sessions() {
    const std::uint32_t sessions = in_.count(kSessionBytes);
    SessionId before;
    for (std::uint32_t i = 0; i < sessions; ++i) {
      const SessionId id{in_.u64()};
      const milliseconds timeout{in_.i64()};
      if (id <= before || timeout <= milliseconds{0} || timeout > kMaxSessionTimeout) {
        return bad(fmt::format("session {:#x} is unsound", id.value));
      }
      before = id;
      state_.sessions.emplace_hint(state_.sessions.end(), id, timeout);
      state_.session_digest += hash_session(id, timeout);
    }
    if (state_.scoped) {
      return sessions == 0 ? Status{} : bad("a snapshot of the scope alone has sessions");
    }
    for (const SessionId owner : state_.tree.owners()) {
      if (!state_.sessions.contains(owner)) {
        return bad(fmt::format("session {:#x} owns nodes and is not there", owner.value));
      }
    }
    return {};
  }

  RegistryState& state_;
  ByteReader in_;
  std::vector<Node*> nodes_;
};

}  // namespace

Bytes save_state(const RegistryState& state, bool scope_only) {
  return Saver(state, scope_only).run();
}

Status load_state(RegistryState& state, ByteView snapshot) {
  return Loader(state, snapshot).run();
}

}  // namespace ringside::coord
