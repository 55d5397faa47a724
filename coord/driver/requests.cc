#include "coord/driver/requests.h"

#include <algorithm>
#include <utility>

namespace ringside::coord {

RequestId Requests::add(RequestId local) {
  const RequestId ring{++next_};
  under_way_.emplace(ring.value, local);
  return ring;
}

std::optional<RequestId> Requests::take(RequestId ring) {
  const auto found = under_way_.find(ring.value);
  if (found == under_way_.end()) {
    return std::nullopt;
  }
  const RequestId local = found->second;
  under_way_.erase(found);
  return local;
}

std::vector<std::pair<RequestId, Reply>> Requests::take_reached(Zxid zxid) {
  std::vector<std::pair<RequestId, Reply>> reached;
  while (!waiting_.empty() && waiting_.begin()->first <= zxid) {
    auto& [ring, reply] = waiting_.begin()->second;
    if (const auto local = take(ring)) {
      reached.emplace_back(*local, std::move(reply));
    }
    waiting_.erase(waiting_.begin());
  }
  return reached;
}

std::vector<RequestId> Requests::take_all() {
  std::vector<RequestId> all;
  all.reserve(under_way_.size());
  for (const auto& [ring, local] : under_way_) {
    all.push_back(local);
  }
  std::ranges::sort(all);  // the order of a hash table must not show
  under_way_.clear();
  waiting_.clear();
  return all;
}

bool SyncRounds::add(SyncRequest request) {
  queued_.push_back(std::move(request));
  return begin_next();
}

bool SyncRounds::begin_next() {
  if (running_ || queued_.empty()) {
    return false;
  }
  running_ = true;
  in_round_ = std::exchange(queued_, {});
  return true;
}

std::vector<SyncRequest> SyncRounds::confirmed() {
  running_ = false;
  return std::exchange(in_round_, {});
}

void SyncRounds::clear() {
  running_ = false;
  queued_.clear();
  in_round_.clear();
}

}  // namespace ringside::coord
