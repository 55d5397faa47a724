#include "coord/driver/observer_feed.h"

#include <fmt/format.h>

#include <algorithm>

#include "coord/codec/txn_codec.h"
#include "coord/mutant.h"

namespace ringside::coord {

namespace {

// In memory, about: small ones are not free.
std::uint64_t cost_of(const Send& inform) {
  constexpr std::uint64_t kOverhead = 128;
  return std::get<Inform>(inform.envelope.message).txn.size() + kOverhead;
}

}  // namespace

void ObserverFeed::attach(MemberId observer, std::uint64_t run, Instant now) {
  Observer& fresh = observers_[observer] = {};
  fresh.run = run;
  fresh.since = now;
  fresh.heard = now;
}

std::optional<MemberId> ObserverFeed::next_waiting() const {
  std::optional<MemberId> next;
  Instant since = kNever;
  for (const auto& [id, observer] : observers_) {
    if (observer.stage == Stage::kWaiting && observer.since < since) {
      since = observer.since;
      next = id;
    }
  }
  return next;
}

std::uint64_t ObserverFeed::start(MemberId observer, Zxid at) {
  Observer& starting = observers_.at(observer);
  starting.stage = Stage::kSnapshot;
  starting.told = at;
  starting.view = at;
  return starting.run;
}

void ObserverFeed::snapshot_taken(MemberId observer) {
  Observer& taken = observers_.at(observer);
  taken.stage = taken.queue.empty() ? Stage::kFed : Stage::kCatchingUp;
}

std::vector<Send> ObserverFeed::catch_up(std::uint64_t bytes) {
  std::vector<Send> sends;
  const auto behind = std::ranges::find_if(
      observers_, [](const auto& entry) { return entry.second.stage == Stage::kCatchingUp; });
  if (behind == observers_.end()) {
    return sends;
  }
  Observer& observer = behind->second;
  const std::uint64_t until = observer.queued_bytes - std::min(observer.queued_bytes, bytes);
  while (!observer.queue.empty() && (sends.empty() || observer.queued_bytes > until)) {
    const std::uint64_t size = cost_of(observer.queue.front());
    observer.queued_bytes -= size;
    observer.unanswered_bytes += size;
    sends.push_back(std::move(observer.queue.front()));
    observer.queue.pop_front();
  }
  if (observer.queue.empty()) {
    observer.stage = Stage::kFed;
  }
  return sends;
}

bool ObserverFeed::catching_up() const {
  return std::ranges::any_of(
      observers_, [](const auto& entry) { return entry.second.stage == Stage::kCatchingUp; });
}

bool ObserverFeed::fed(MemberId observer, std::uint64_t run) const {
  return attached(observer, run) && observers_.at(observer).stage == Stage::kFed;
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
    const bool skipped =
        mutated(Mutant::kZk1551ObserverSkips) && observer.stage == Stage::kSnapshot;
    if (bytes.empty() || observer.stage == Stage::kWaiting || skipped) {
      continue;
    }
    Send inform{id, {observer.run, Inform{observer.told, zxid, std::move(bytes)}}};
    observer.told = zxid;
    if (observer.stage == Stage::kFed) {
      observer.unanswered_bytes += cost_of(inform);
      sends.push_back(std::move(inform));
    } else {
      observer.queued_bytes += cost_of(inform);
      observer.queue.push_back(std::move(inform));
    }
  }
  return sends;
}

std::vector<Send> ObserverFeed::to_all(const Heartbeat& heartbeat, bool fed) const {
  std::vector<Send> sends;
  for (const auto& [id, observer] : observers_) {
    if ((observer.stage == Stage::kFed) == fed) {
      sends.push_back({id, {observer.run, heartbeat}});
    }
  }
  return sends;
}

std::vector<std::pair<MemberId, std::string>> ObserverFeed::too_slow(Instant now,
                                                                     Duration patience) const {
  std::vector<std::pair<MemberId, std::string>> slow;
  for (const auto& [id, observer] : observers_) {
    if (now - observer.heard > patience) {
      slow.emplace_back(id, "the observer has been silent for an election timeout");
    } else if (const auto behind = observer.unanswered_bytes + observer.queued_bytes;
               behind > kMaxUnansweredBytes) {
      slow.emplace_back(id, fmt::format("the observer is {} bytes behind", behind));
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
