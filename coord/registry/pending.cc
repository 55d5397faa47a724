#include "coord/registry/pending.h"

#include <type_traits>
#include <utility>

#include "coord/registry/path.h"

namespace ringside::coord {

PendingNode Pending::node(std::string_view path) const {
  if (const auto found = draft_.nodes.find(path); found != draft_.nodes.end()) {
    return found->second;
  }
  if (const auto found = kept_.nodes.find(path); found != kept_.nodes.end()) {
    return found->second;
  }
  PendingNode facts;
  if (const Node* node = state_->tree.find(path)) {
    facts.exists = true;
    facts.version = node->version;
    facts.creates = node->creates;
    facts.children = node->children;
    facts.owner = node->owner();
    facts.born = node->czxid;
  }
  return facts;
}

PendingSession Pending::session(SessionId id) const {
  if (const auto found = draft_.sessions.find(id); found != draft_.sessions.end()) {
    return found->second;
  }
  if (const auto found = kept_.sessions.find(id); found != kept_.sessions.end()) {
    return found->second;
  }
  const auto found = state_->sessions.find(id);
  if (found == state_->sessions.end()) {
    return PendingSession::kNone;
  }
  return found->second.closing ? PendingSession::kClosing : PendingSession::kOpen;
}

RingSecret Pending::secret() const {
  if (draft_.secret) {
    return draft_.secret;
  }
  return kept_.secret ? kept_.secret : state_->secret;
}

std::vector<std::string> Pending::ephemerals(SessionId id, std::size_t most) const {
  std::vector<std::string> paths;
  for (const Node* node = state_->tree.oldest_ephemeral(id); node != nullptr && paths.size() < most;
       node = node->ephemeral->younger) {
    std::string path = state_->tree.path_of(*node);
    const PendingNode facts = this->node(path);
    // Deleted and made again it is another node, listed where it was made again.
    if (facts.exists && facts.owner == id && facts.born == node->czxid) {
      paths.push_back(std::move(path));
    }
  }
  list_births(kept_, id, most, paths);
  list_births(draft_, id, most, paths);
  return paths;
}

void Pending::list_births(const Layer& layer, SessionId id, std::size_t most,
                          std::vector<std::string>& paths) const {
  const auto found = layer.births.find(id);
  if (found == layer.births.end()) {
    return;
  }
  for (const Birth& birth : found->second) {
    if (paths.size() >= most) {
      return;
    }
    const PendingNode facts = node(birth.path);
    if (facts.exists && facts.birth == birth.number && birth.zxid > state_->applied) {
      paths.push_back(birth.path);
    }
  }
}

void Pending::add(const TxnOp& op, Zxid zxid) {
  std::visit(
      [&](const auto& it) {
        using Op = std::decay_t<decltype(it)>;
        if constexpr (std::is_same_v<Op, TxnCreateNode>) {
          add_create(it, zxid);
        } else if constexpr (std::is_same_v<Op, TxnDeleteNode>) {
          add_delete(it.path);
        } else if constexpr (std::is_same_v<Op, TxnSetData>) {
          PendingNode facts = node(it.path);
          facts.version = it.version;
          put(it.path, facts);
        } else if constexpr (std::is_same_v<Op, TxnCreateSession>) {
          draft_.sessions[it.session] = PendingSession::kOpen;
        } else if constexpr (std::is_same_v<Op, TxnSetSecret>) {
          draft_.secret = it.secret;
        } else {
          for (const std::string& path : it.ephemerals) {
            add_delete(path);
          }
          constexpr bool kLast = std::is_same_v<Op, TxnCloseSession>;
          draft_.sessions[it.session] = kLast ? PendingSession::kNone : PendingSession::kClosing;
        }
      },
      op);
}

void Pending::add_create(const TxnCreateNode& op, Zxid zxid) {
  const std::string_view above = parent_path(op.path);
  PendingNode parent = node(above);
  parent.creates = op.parent_cversion;
  ++parent.children;
  put(above, parent);
  PendingNode made;
  made.exists = true;
  made.owner = op.ephemeral_owner;
  made.born = zxid;
  made.birth = ++last_birth_;
  put(op.path, made);
  if (made.owner) {
    draft_.births[made.owner].push_back(Birth{op.path, made.birth, zxid});
  }
}

void Pending::add_delete(const std::string& path) {
  const std::string_view above = parent_path(path);
  PendingNode parent = node(above);
  --parent.children;
  put(above, parent);
  put(path, PendingNode{});
}

void Pending::put(std::string_view path, const PendingNode& node) {
  if (const auto found = draft_.nodes.find(path); found != draft_.nodes.end()) {
    found->second = node;
  } else {
    draft_.nodes.emplace(path, node);
  }
}

void Pending::keep(Zxid zxid) {
  Kept kept{.zxid = zxid, .paths = {}, .sessions = {}, .births = {}};
  for (auto& [path, node] : draft_.nodes) {
    node.changed = zxid;
    kept.paths.push_back(path);
    kept_.nodes.insert_or_assign(path, node);
  }
  for (const auto& [id, session] : draft_.sessions) {
    kept.sessions.push_back(id);
    kept_.sessions[id] = session;
    session_changed_[id] = zxid;
  }
  if (draft_.secret) {
    kept_.secret = draft_.secret;  // it never changes, so it is not forgotten
  }
  for (auto& [id, births] : draft_.births) {
    kept.births.push_back(id);
    auto& all = kept_.births[id];
    all.insert(all.end(), std::make_move_iterator(births.begin()),
               std::make_move_iterator(births.end()));
  }
  if (!kept.paths.empty() || !kept.sessions.empty()) {
    queue_.push_back(std::move(kept));
  }
  drop();
}

void Pending::drop() {
  constexpr std::size_t kUsualBuckets = 256;  // to clear a table costs by its buckets
  if (draft_.nodes.bucket_count() > kUsualBuckets) {
    draft_.nodes = Nodes{};
  }
  draft_.nodes.clear();
  draft_.sessions.clear();
  draft_.births.clear();
  draft_.secret = {};
}

void Pending::forget(Zxid applied) {
  for (; !queue_.empty() && queue_.front().zxid <= applied; queue_.pop_front()) {
    for (const std::string& path : queue_.front().paths) {
      const auto found = kept_.nodes.find(path);
      if (found != kept_.nodes.end() && found->second.changed <= applied) {
        kept_.nodes.erase(found);
      }
    }
    for (const SessionId id : queue_.front().sessions) {
      const auto found = session_changed_.find(id);
      if (found != session_changed_.end() && found->second <= applied) {
        kept_.sessions.erase(id);
        session_changed_.erase(found);
      }
    }
    for (const SessionId id : queue_.front().births) {
      const auto found = kept_.births.find(id);
      if (found == kept_.births.end()) {
        continue;
      }
      while (!found->second.empty() && found->second.front().zxid <= applied) {
        found->second.pop_front();
      }
      if (found->second.empty()) {
        kept_.births.erase(found);
      }
    }
  }
}

}  // namespace ringside::coord
