// Sessions heard of on a member that does not lead, waiting for the next heartbeat reply. Pure;
// owned by the driver. What one reply cannot carry goes with the next, the longest waiting first.
#pragma once

#include <cstddef>
#include <deque>
#include <unordered_set>
#include <vector>

#include "coord/zab/types.h"

namespace ringside::coord {

class Touches {
 public:
  static constexpr std::size_t kMost = 1 << 20;

  // False: so many wait already, this one is dropped.
  bool add(SessionId session) {
    if (waiting_.contains(session)) {
      return true;
    }
    if (order_.size() == kMost) {
      return false;
    }
    order_.push_back(session);
    waiting_.insert(session);
    return true;
  }
  std::vector<SessionId> take(std::size_t most) {
    std::vector<SessionId> taken;
    while (!order_.empty() && taken.size() < most) {
      taken.push_back(order_.front());
      waiting_.erase(order_.front());
      order_.pop_front();
    }
    return taken;
  }
  void clear() {
    order_.clear();
    waiting_.clear();
  }

 private:
  std::deque<SessionId> order_;
  std::unordered_set<SessionId> waiting_;
};

}  // namespace ringside::coord
