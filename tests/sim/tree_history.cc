#include "tests/sim/tree_history.h"

#include <algorithm>
#include <utility>

namespace ringside::sim {

namespace {

std::string told(const std::optional<NodeState>& state) {
  return state ? fmt::format("\"{}\" of version {}", state->data, state->version) : "nothing";
}

}  // namespace

void TreeHistory::changed(coord::Zxid zxid, const std::string& path,
                          std::optional<NodeState> state) {
  nodes_[path].push_back({zxid, std::move(state)});
}

void TreeHistory::extended(coord::Zxid zxid) {
  last_ = zxid;
  while (!early_.empty() && early_.begin()->first <= last_) {
    judge(early_.extract(early_.begin()).mapped());
  }
}

void TreeHistory::read(const std::string& who, const std::string& path, coord::Zxid at,
                       const std::optional<NodeState>& got) {
  Read read{who, path, at, got};
  if (at > last_) {
    early_.emplace(at, std::move(read));
  } else {
    judge(read);
  }
}

void TreeHistory::judge(const Read& read) const {
  std::optional<NodeState> right;
  if (const auto node = nodes_.find(read.path); node != nodes_.end()) {
    const auto& versions = node->second;
    const auto later = std::ranges::upper_bound(versions, read.at, {}, &Version::zxid);
    if (later != versions.begin()) {
      right = std::prev(later)->state;
    }
  }
  if (right != read.got) {
    violate("sequential: {} reads {} from {} at {}, where the history has {}", read.who,
            told(read.got), read.path, read.at.to_string(), told(right));
  }
}

}  // namespace ringside::sim
