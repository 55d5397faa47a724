#include "coord/driver/observer_feed.h"

#include <fmt/format.h>

#include <algorithm>

#include "coord/codec/txn_codec.h"

namespace ringside::coord {

void ObserverFeed::attach(MemberId observer, std::uint64_t run, Zxid at, Instant now) {
  observers_[observer] = {
      .run = run, .fed = at, .view = at, .routed = {}, .heard = now, .unanswered_bytes = 0};
}

bool ObserverFeed::attached(MemberId observer, std::uint64_t run) const {
  const auto found = observers_.find(observer);
  return found != observers_.end() && found->second.run == run;
}

void ObserverFeed::heard(MemberId observer, const HeartbeatReply& reply, Instant now) {
  const auto found = observers_.find(observer);
  if (found != observers_.end()) {
    found->second.view = reply.applied;
    found->second.routed = std::max(found->second.routed, reply.routed);
    found->second.heard = now;
    found->second.unanswered_bytes = 0;
  }
}

std::vector<Send> ObserverFeed::informs(Zxid zxid, const Txn& txn) {
  std::vector<Send> sends;
  std::optional<Txn> for_most;
  Bytes most_bytes;
  if (!observers_.empty()) {
    for_most = scoped(txn, MemberId{});
  }
  if (for_most) {
    most_bytes = encode_txn(*for_most);
  }
  for (auto& [id, observer] : observers_) {
    Bytes bytes = most_bytes;
    if (txn.origin.member == id) {
      const std::optional<Txn> own = scoped(txn, id);
      bytes = own ? encode_txn(*own) : Bytes{};
    }
    if (bytes.empty()) {
      continue;
    }
    observer.unanswered_bytes += bytes.size();
    sends.push_back({id, {observer.run, Inform{observer.fed, zxid, std::move(bytes)}}});
    observer.fed = zxid;
  }
  return sends;
}

std::vector<Send> ObserverFeed::to_all(const Heartbeat& heartbeat) const {
  std::vector<Send> sends;
  for (const auto& [id, observer] : observers_) {
    sends.push_back({id, {observer.run, heartbeat}});
  }
  return sends;
}

std::vector<std::pair<MemberId, std::string>> ObserverFeed::too_slow(Instant now,
                                                                     Duration patience) const {
  std::vector<std::pair<MemberId, std::string>> slow;
  for (const auto& [id, observer] : observers_) {
    if (now - observer.heard > patience) {
      slow.emplace_back(id, "the observer has been silent for an election timeout");
    } else if (observer.unanswered_bytes > kMaxUnansweredBytes) {
      slow.emplace_back(id,
                        fmt::format("the observer is {} bytes behind", observer.unanswered_bytes));
    }
  }
  return slow;
}

std::optional<Zxid> ObserverFeed::view_of(MemberId observer) const {
  const auto found = observers_.find(observer);
  return found == observers_.end() ? std::nullopt : std::optional(found->second.view);
}

std::optional<Zxid> ObserverFeed::routed_of(MemberId observer) const {
  const auto found = observers_.find(observer);
  return found == observers_.end() ? std::nullopt : std::optional(found->second.routed);
}

}  // namespace ringside::coord
