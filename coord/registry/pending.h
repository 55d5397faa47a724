// The tree as it will be: a RegistryState below, and on it the changes of operations that are not
// applied yet. Used by Preparer (outstanding proposals) and check_fit (the operations of one
// transaction before the one in hand). One owner, one thread.
//
//   draft     the operations of the request in hand; keep() or drop() ends it
//   kept      operations of proposals on their way, by path, with the zxid that made each
//   state     what is applied
//
// A lookup takes the uppermost that knows the path. drop() therefore leaves no trace of a request
// that failed half way, its parents' counters included (ZK-1624).
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "coord/registry/state.h"

namespace ringside::coord {

enum class PendingSession { kNone, kOpen, kClosing };

struct PendingNode {
  bool exists = false;
  std::int32_t version = 0;
  std::int32_t creates = 0;
  std::uint32_t children = 0;
  SessionId owner;
  Zxid born;                // the zxid that made it
  std::uint64_t birth = 0;  // 0, or the number of the pending create that made it
  Zxid changed;             // of kept ones: the last that touched it
};

class Pending {
 public:
  explicit Pending(const RegistryState& state) : state_(&state) {}
  // The state has moved to another place in memory.
  void rebase(const RegistryState& state) { state_ = &state; }
  [[nodiscard]] const RegistryState& state() const { return *state_; }

  [[nodiscard]] PendingNode node(std::string_view path) const;
  [[nodiscard]] PendingSession session(SessionId id) const;
  [[nodiscard]] RingSecret secret() const;
  // The oldest `most` of them, in creation order, as they will be.
  [[nodiscard]] std::vector<std::string> ephemerals(SessionId id, std::size_t most) const;

  // Puts one operation, which must fit, into the draft.
  void add(const TxnOp& op, Zxid zxid);
  void keep(Zxid zxid);
  void drop();
  // Forgets what was kept up to `applied`: the state has it now.
  void forget(Zxid applied);

 private:
  struct Birth {
    std::string path;
    std::uint64_t number = 0;
    Zxid zxid;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Nodes = std::unordered_map<std::string, PendingNode, TextHash, std::equal_to<>>;
  struct Layer {
    Nodes nodes;
    std::unordered_map<SessionId, PendingSession> sessions;
    RingSecret secret;
    std::unordered_map<SessionId, std::deque<Birth>> births;
  };
  struct Kept {  // what to look at when a zxid is applied
    Zxid zxid;
    std::vector<std::string> paths;
    std::vector<SessionId> sessions;
    std::vector<SessionId> births;
  };

  void add_create(const TxnCreateNode& op, Zxid zxid);
  void add_delete(const std::string& path);
  void list_births(const Layer& layer, SessionId id, std::size_t most,
                   std::vector<std::string>& paths) const;
  void put(std::string_view path, const PendingNode& node);

  const RegistryState* state_;
  Layer draft_;
  Layer kept_;
  std::unordered_map<SessionId, Zxid> session_changed_;  // of kept_.sessions
  std::deque<Kept> queue_;                               // by zxid
  std::uint64_t last_birth_ = 0;
};

}  // namespace ringside::coord
