// Duties of a member that leads: requests become proposals, sessions expire, syncs are confirmed,
// observers are fed.
#include <algorithm>
#include <utility>

#include "coord/codec/txn_codec.h"
#include "coord/driver/state.h"

namespace ringside::coord {

namespace {

// Proposed and not applied yet, and syncs waiting for a round; over it requests are refused.
constexpr std::size_t kMaxOutstandingProposals = 50'000;
constexpr std::size_t kMaxWaitingSyncs = 50'000;
// Sessions closed in one turn, so that a mass expiry does not hold up everything else.
constexpr std::size_t kExpiriesPerTurn = 64;
constexpr std::size_t kKeptDurations = 4096;
// A quorum not heard for so many heartbeats counts as away for the clock of sessions.
constexpr int kFreshHeartbeats = 3;

}  // namespace

bool Driver::State::lead(MemberId member, std::uint64_t run_number, RequestId id, Request request) {
  if (!leads() || zab->leading() == nullptr) {
    return false;
  }
  if (request.session) {
    sessions.touch(request.session);
  }
  if (std::holds_alternative<Sync>(request.what)) {
    if (syncs.size() >= kMaxWaitingSyncs) {
      return false;
    }
    if (syncs.add({member, run_number, id, zab->history().last()})) {
      post(ConfirmQuorum{});
    }
    return true;
  }
  if (zab->history().entries_after(zab->applied()) >= kMaxOutstandingProposals) {
    return false;
  }
  propose(request, {member, id});
  return true;
}

void Driver::State::propose(const Request& request, Origin origin) {
  Request granted = request;
  if (auto* create = std::get_if<CreateSession>(&granted.what)) {
    create->timeout =
        std::clamp(create->timeout, options.min_session_timeout, options.max_session_timeout);
  }
  const Zxid zxid = zab->leading()->next_zxid();
  const Txn txn =
      preparer->prepare(granted, origin, zxid, wall_time(), [this] { return draw_session_id(); });
  proposed_at.emplace_back(zxid, now);
  post(Propose{{std::make_shared<const Bytes>(encode_txn(txn))}});
  run();
}

// Nobody can guess it; the top byte tells who led when it was made.
SessionId Driver::State::draw_session_id() {
  constexpr unsigned kBelowTopByte = 56;
  constexpr std::uint64_t kMaxTopByte = 127;  // ids are positive as signed numbers
  std::uint64_t id = rng() >> 1U;
  if (options.self.value <= kMaxTopByte) {
    id = (id & ((std::uint64_t{1} << kBelowTopByte) - 1)) | (options.self.value << kBelowTopByte);
  }
  return SessionId{id};
}

void Driver::State::note_applied(Zxid zxid, const Txn& txn) {
  if (!leads()) {
    return;
  }
  preparer->applied(zxid);
  for (const TxnOp& op : txn.ops) {
    if (const auto* opened = std::get_if<TxnCreateSession>(&op)) {
      sessions.opened({opened->session, opened->timeout});
    } else if (const auto* closed = std::get_if<TxnCloseSession>(&op)) {
      sessions.closed(closed->session);
    }
  }
  while (!proposed_at.empty() && proposed_at.front().first <= zxid) {
    if (commit_durations_us.size() < kKeptDurations) {
      const auto took = std::chrono::duration_cast<microseconds>(now - proposed_at.front().second);
      commit_durations_us.push_back(static_cast<std::uint32_t>(took.count()));
    }
    proposed_at.pop_front();
  }
  for (Send& inform : feed.informs(zxid, txn)) {
    send(inform.to, std::move(inform.envelope));
  }
}

// --- sessions

bool Driver::State::quorum_is_fresh() const {
  return now - quorum_heard_at() <= kFreshHeartbeats * options.heartbeat_interval;
}

void Driver::State::advance_sessions() {
  if (leads()) {
    sessions.advance(now, quorum_is_fresh(), kFreshHeartbeats * options.heartbeat_interval);
  }
}

void Driver::State::expire_sessions() {
  if (zab->leading() == nullptr || !quorum_is_fresh()) {
    return;
  }
  for (const SessionId session : sessions.take_expired(kExpiriesPerTurn)) {
    if (!leads() || zab->leading() == nullptr) {
      return;
    }
    propose(Request{session, CloseSession{}}, Origin{});
  }
}

// --- syncs

void Driver::State::perform(const QuorumConfirmed&) {
  for (const SyncRequest& request : syncs.confirmed()) {
    if (request.member == options.self) {
      requests.wait_for(request.id, request.zxid);
    } else if (is_voter(request.member)) {
      send(request.member, {request.run, SyncAnswer{request.id, request.zxid}});
    } else {
      observer_syncs.emplace(request.zxid, request);
    }
  }
  if (syncs.begin_next()) {
    post(ConfirmQuorum{});
  }
}

// An observer does not see what lies outside its scope, so its answer waits here until everything
// up to the zxid is applied, and fed to it before the answer.
void Driver::State::answer_observer_syncs() {
  auto next = observer_syncs.begin();
  while (next != observer_syncs.end() && next->first <= registry.applied()) {
    const SyncRequest request = next->second;
    if (!feed.attached(request.member, request.run)) {
      next = observer_syncs.erase(next);
    } else if (feed.fed(request.member, request.run)) {
      next = observer_syncs.erase(next);
      send(request.member, {request.run, SyncAnswer{request.id, request.zxid}});
    } else {
      ++next;  // it is catching up
    }
  }
}

// --- observers

void Driver::State::beat_observers() {
  if (!leads() || now < next_feed_beat) {
    return;
  }
  next_feed_beat = now + options.heartbeat_interval;
  for (const auto& [observer, reason] : feed.too_slow(now, options.election_timeout)) {
    feed.detach(observer);
    ports.close_link(observer, reason);
  }
  const Heartbeat heartbeat{.round = 0,
                            .epoch = reign->epoch,
                            .commit = registry.applied(),
                            .quorum = now - quorum_heard_at() <= options.election_timeout,
                            .applied = {},
                            .digest = 0,
                            .scope_digest = 0};
  for (Send& beat : feed.to_all(heartbeat, true)) {
    send(beat.to, std::move(beat.envelope));
  }
  // What is applied here has not all been given to the others: no zxid, no digest.
  for (Send& beat : feed.to_all(heartbeat, false)) {
    send_as_it_is(beat.to, std::move(beat.envelope));
  }
}

// Observers hear who leads, each time it changes.
void Driver::State::tell_observers() {
  if (!zab) {
    return;
  }
  const Notification word = zab->notification();
  const bool same = told_observers && told_observers->role == word.role &&
                    told_observers->vote == word.vote && told_observers->reign == word.reign &&
                    told_observers->established == word.established;
  if (same) {
    return;
  }
  told_observers = word;
  for (const auto& [peer, link] : links) {
    if (!is_voter(peer)) {
      send(peer, Envelope{0, word});
    }
  }
}

}  // namespace ringside::coord
