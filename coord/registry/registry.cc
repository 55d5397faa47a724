#include "coord/registry/registry.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "config/base/check.h"
#include "coord/registry/path.h"
#include "coord/registry/snapshot_cursor.h"
#include "coord/registry/snapshot_loader.h"
#include "coord/registry/state.h"

namespace ringside::coord {
namespace {

// Carries out the operations of one transaction, which fits.
class Execution {
 public:
  Execution(RegistryState& state, Zxid zxid, const Txn& txn)
      : state_(state), zxid_(zxid), txn_(txn) {
    applied_.reply.error = txn.error;
    applied_.reply.zxid = zxid;
    applied_.reply.results = txn.results;
  }

  Applied run() {
    for (const TxnOp& op : txn_.ops) {
      std::visit(*this, op);
    }
    state_.applied = zxid_;
    return std::move(applied_);
  }

  void operator()(const TxnCreateNode& op) {
    Node* parent = state_.tree.find(parent_path(op.path));
    CHECK(parent != nullptr);
    const bool held = !state_.scoped || parent->in_scope;
    Node& node =
        state_.tree.add(*parent, op.path, as_text(op.data), born(),
                        held ? op.parent_cversion : parent->creates, held ? zxid_ : Zxid{});
    if (op.ephemeral_owner) {
      state_.tree.set_owner(node, op.ephemeral_owner);
    }
    note(ChangeKind::kCreated, op.path);
    answer(op.path, node);
  }

  void operator()(const TxnDeleteNode& op) { remove(op.path); }

  void operator()(const TxnSetData& op) {
    Node* node = state_.tree.find(op.path);
    CHECK(node != nullptr);
    state_.tree.set_data(*node, as_text(op.data), op.version, zxid_, txn_.time);
    note(ChangeKind::kDataChanged, op.path);
    answer(op.path, *node);
  }

  void operator()(const TxnCreateSession& op) {
    applied_.reply.session = op.session;
    applied_.reply.session_timeout = op.timeout;
    applied_.reply.secret = op.secret;
    if (!state_.scoped) {
      const SessionRecord session{op.timeout, op.sidecar, false};
      state_.tree.readers().before_change(op.session);
      state_.sessions.emplace(op.session, session);
      state_.session_digest += hash_session(op.session, session);
    }
  }

  void operator()(const TxnCloseSession& op) {
    for (const std::string& path : op.ephemerals) {
      remove(path);
    }
    if (!state_.scoped) {
      const auto found = state_.sessions.find(op.session);
      CHECK(found != state_.sessions.end());
      state_.tree.readers().before_change(op.session);
      state_.session_digest -= hash_session(found->first, found->second);
      state_.sessions.erase(found);
    }
  }

  void operator()(const TxnCloseSlice& op) {
    for (const std::string& path : op.ephemerals) {
      remove(path);
    }
    if (!state_.scoped) {
      const auto found = state_.sessions.find(op.session);
      CHECK(found != state_.sessions.end());
      state_.tree.readers().before_change(op.session);
      state_.session_digest -= hash_session(found->first, found->second);
      found->second.closing = true;
      state_.session_digest += hash_session(found->first, found->second);
    }
  }

  void operator()(const TxnSetSecret& op) { state_.secret = op.secret; }

 private:
  [[nodiscard]] DataTree::Facts born() const {
    return {.czxid = zxid_, .mzxid = zxid_, .pzxid = zxid_, .ctime = txn_.time, .mtime = txn_.time};
  }

  void remove(const std::string& path) {
    Node* node = state_.tree.find(path);
    CHECK(node != nullptr);
    const bool held = !state_.scoped || state_.tree.parent(*node).in_scope;
    state_.tree.remove(*node, held ? zxid_ : Zxid{});
    note(ChangeKind::kDeleted, path);
  }

  void note(ChangeKind kind, const std::string& path) { applied_.changes.push_back({kind, path}); }

  // The results stand in the order of the operations; made parents have none. An observer lacks
  // the operations out of its scope, and their Stats.
  void answer(const std::string& path, const Node& node) {
    auto& results = applied_.reply.results;
    const auto unanswered = [this](const OpResult& result) {
      return !result.path.empty() && (!state_.scoped || in_scope(result.path));
    };
    while (next_result_ < results.size() && !unanswered(results[next_result_])) {
      ++next_result_;
    }
    if (next_result_ < results.size() && results[next_result_].path == path) {
      results[next_result_++].stat = node.stat();
    }
  }

  RegistryState& state_;
  Zxid zxid_;
  const Txn& txn_;
  Applied applied_;
  std::size_t next_result_ = 0;
};

SessionInfo info_of(const std::pair<const SessionId, SessionRecord>& session) {
  const auto& [id, record] = session;
  return {id, record.timeout, record.closing, record.sidecar};
}

constexpr std::size_t kWholePartBytes = 1U << 20U;

}  // namespace

Registry::Registry() : state_(std::make_unique<State>()) {}
Registry::~Registry() = default;
Registry::Registry(Registry&&) noexcept = default;
Registry& Registry::operator=(Registry&&) noexcept = default;

Result<Applied> Registry::apply(Zxid zxid, const Txn& txn) {
  if (Status fits = check_fit(*state_, zxid, txn); !fits) {
    return std::unexpected(fits.error());
  }
  return Execution(*state_, zxid, txn).run();
}

Zxid Registry::applied() const {
  return state_->applied;
}

bool Registry::scoped() const {
  return state_->scoped;
}

std::optional<ZnodeView> Registry::get(std::string_view path) const {
  const Node* node = state_->tree.find(path);
  if (node == nullptr || (state_->scoped && !node->in_scope)) {
    return std::nullopt;
  }
  return ZnodeView{node->data(), node->stat()};
}

std::optional<std::vector<std::string>> Registry::children(std::string_view path) const {
  const Node* node = state_->tree.find(path);
  if (node == nullptr || (state_->scoped && !node->in_scope)) {
    return std::nullopt;
  }
  std::vector<std::string> names;
  names.reserve(node->children);
  const DataTree& tree = state_->tree;
  for (const Node* child = tree.first_child(*node); child != nullptr;
       child = tree.next_sibling(*child)) {
    names.emplace_back(child->name());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<SessionInfo> Registry::session(SessionId id) const {
  const auto found = state_->sessions.find(id);
  if (found == state_->sessions.end()) {
    return std::nullopt;
  }
  return info_of(*found);
}

std::vector<SessionInfo> Registry::sessions() const {
  std::vector<SessionInfo> all;
  all.reserve(state_->sessions.size());
  for (const auto& session : state_->sessions) {
    all.push_back(info_of(session));
  }
  return all;
}

std::size_t Registry::session_count() const {
  return state_->sessions.size();
}

bool Registry::has_secret() const {
  return static_cast<bool>(state_->secret);
}

bool Registry::is_secret_of(SessionId id, ByteView secret) const {
  return has_secret() && same_secret(secret_of(id), secret);
}

Bytes Registry::secret_of(SessionId id) const {
  return state_->secret ? session_secret(state_->secret, id) : Bytes{};
}

std::vector<std::string> Registry::ephemerals(SessionId id) const {
  std::vector<std::string> paths;
  for (const Node* node = state_->tree.oldest_ephemeral(id); node != nullptr;
       node = node->ephemeral->younger) {
    paths.push_back(state_->tree.path_of(*node));
  }
  return paths;
}

std::size_t Registry::znodes() const {
  return state_->tree.size() - (state_->scoped ? 1 : 0);  // the root that is not held
}

std::uint64_t Registry::digest() const {
  return state_->digest(state_->scoped);
}

std::uint64_t Registry::scope_digest() const {
  return state_->tree.scope_digest();
}

bool Registry::snapshot_may_begin() const {
  return state_->tree.readers().size() < kMaxSnapshotCursors;
}

std::unique_ptr<SnapshotCursor> Registry::begin_snapshot(bool scope_only) const {
  if (!snapshot_may_begin()) {
    return nullptr;
  }
  return std::make_unique<SnapshotCursor>(*state_, scope_only || state_->scoped);
}

Bytes Registry::snapshot(bool scope_only) const {
  SnapshotCursor cursor(*state_, scope_only || state_->scoped);
  Bytes all;
  while (!cursor.done()) {
    const Bytes part = cursor.next(kWholePartBytes);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

Result<Registry> Registry::load(ByteView snapshot) {
  SnapshotLoader loader;
  if (Status status = loader.add(snapshot); !status) {
    return std::unexpected(status.error());
  }
  if (Result<bool> whole = loader.finish(std::numeric_limits<std::size_t>::max()); !whole) {
    return std::unexpected(whole.error());
  }
  return loader.take();
}

bool Registry::dismantle(std::size_t nodes) {
  for (std::size_t ended = 0; ended < nodes && !state_->sessions.empty(); ++ended) {
    state_->sessions.erase(state_->sessions.begin());
  }
  return state_->tree.dismantle(nodes) && state_->sessions.empty();
}

}  // namespace ringside::coord
