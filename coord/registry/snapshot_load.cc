#include <fmt/format.h>

#include "coord/registry/path.h"
#include "coord/registry/snapshot_format.h"
#include "coord/registry/state.h"

namespace ringside::coord {
namespace {

constexpr std::size_t kMinOwnerBytes = 16;
constexpr std::size_t kNumberBytes = 4;

// Untrusted bytes: every step says what is wrong, or nothing.
class Loader {
 public:
  Loader(RegistryState& state, ByteView snapshot) : state_(state), in_(snapshot) {}

  Status run() {
    const bool ours = in_.u32() == kSnapshotMagic;
    const std::uint16_t format = in_.u16();
    if (!ours) {
      return bad("it does not begin as one");
    }
    if (in_.ok() && format != kSnapshotFormat) {
      return fail(ErrorCode::kUnsupported,
                  fmt::format("registry snapshot of format {}, this version reads format {}",
                              format, kSnapshotFormat));
    }
    state_.scoped = in_.boolean();
    state_.applied = Zxid{in_.u64()};
    for (auto step : {&Loader::nodes, &Loader::owners, &Loader::sessions, &Loader::secret}) {
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
    const bool blank = root.data.empty() && root.facts == DataTree::Facts{};
    if (!sound(root, !state_.scoped) || !root.name.empty() || (state_.scoped && !blank)) {
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
      if (owner <= before || count == 0) {
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
    const std::uint32_t sessions = in_.count(kSessionRecordBytes);
    SessionId before;
    for (std::uint32_t i = 0; i < sessions; ++i) {
      const auto session = get_session(in_);
      if (!session || session->first <= before) {
        return bad(fmt::format("session {} is unsound", i));
      }
      before = session->first;
      state_.sessions.emplace_hint(state_.sessions.end(), *session);
      state_.session_digest += hash_session(session->first, session->second);
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

  Status secret() {
    state_.secret.k0 = in_.u64();
    state_.secret.k1 = in_.u64();
    const bool sound = state_.scoped ? !state_.secret : state_.sessions.empty() || state_.secret;
    return sound ? Status{} : bad("the secret of its sessions is missing, or not for observers");
  }

  RegistryState& state_;
  ByteReader in_;
  std::vector<Node*> nodes_;
};

}  // namespace

Status load_state(RegistryState& state, ByteView snapshot) {
  return Loader(state, snapshot).run();
}

}  // namespace ringside::coord
