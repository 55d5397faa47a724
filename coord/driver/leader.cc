// Duties of a member that leads: requests become proposals, observers are fed. Its sessions are in
// sessions.cc.
#include <algorithm>
#include <utility>

#include "coord/codec/txn_codec.h"
#include "coord/driver/state.h"

namespace ringside::coord {

namespace {

// Proposed and not applied yet, and syncs waiting for a round; over it requests are refused.
constexpr std::size_t kMaxOutstandingProposals = 50'000;
constexpr std::size_t kMaxWaitingSyncs = 50'000;
constexpr std::size_t kKeptDurations = 4096;

}  // namespace

bool Driver::State::lead(MemberId member, std::uint64_t run_number, RequestId id, Request request) {
  if (!leads() || zab->leading() == nullptr) {
    return false;
  }
  const bool resumes = std::holds_alternative<ResumeSession>(request.what);
  if (request.session && !resumes && !sessions.use(request.session, member)) {
    Reply moved;
    moved.error = ZkError::kSessionMoved;
    answer(member, run_number, id, Zxid{}, std::move(moved));
    return true;
  }
  if (resumes || std::holds_alternative<Sync>(request.what) ||
      std::holds_alternative<Routed>(request.what)) {
    if (syncs.size() + confirmed.size() >= kMaxWaitingSyncs) {
      return false;
    }
    const Zxid asked_after{next_zxid().packed - 1};  // what gathered before it included
    if (syncs.add({member, run_number, id, gathered.empty() ? zab->history().last() : asked_after,
                   std::move(request)})) {
      post(ConfirmQuorum{});
    }
    return true;
  }
  const std::size_t outstanding = zab->history().entries_after(zab->applied()) + gathered.size();
  if (outstanding >= kMaxOutstandingProposals) {
    return false;
  }
  propose(request, {member, id});
  return true;
}

Txn Driver::State::propose(const Request& request, Origin origin) {
  Request granted = request;
  if (auto* create = std::get_if<CreateSession>(&granted.what)) {
    create->timeout =
        std::clamp(create->timeout, options.min_session_timeout, options.max_session_timeout);
  }
  const Zxid zxid = next_zxid();
  Txn txn =
      preparer->prepare(granted, origin, zxid, wall_time(), [this] { return draw_session_id(); });
  if (txn.ops.size() == 1 && std::holds_alternative<TxnCloseSlice>(txn.ops.front())) {
    closings.begin(request.session, origin);
  }
  propose(zxid, txn);
  return txn;
}

Zxid Driver::State::next_zxid() const {
  return Zxid{zab->leading()->next_zxid().packed + gathered.size()};
}

void Driver::State::propose(Zxid zxid, const Txn& txn) {
  proposed_at.emplace_back(zxid, now);
  gathered.push_back(std::make_shared<const Bytes>(encode_txn(txn)));
}

void Driver::State::propose_gathered() {
  if (!gathered.empty()) {
    post(Propose{std::exchange(gathered, {})});
  }
}

void Driver::State::begin_reign() {
  const RingSecret secret = options.fresh_secret ? options.fresh_secret : RingSecret{rng(), rng()};
  preparer = std::make_unique<Preparer>(registry, secret, options.close_slice_nodes);
  const std::vector<SessionInfo> all = registry.sessions();
  sessions.begin(now, all);
  for (const SessionInfo& session : all) {
    if (session.closing) {  // a leader before this one began to end it
      closings.stepped(session.id);
    }
  }
  next_feed_beat = now + options.heartbeat_interval;
}

void Driver::State::end_reign() {
  preparer.reset();
  sessions.end();
  closings.clear();
  syncs.clear();
  confirmed.clear();
  feed.clear();
  proposed_at.clear();
  gathered.clear();
}

bool Driver::State::attached(MemberId member, std::uint64_t run_number) const {
  if (feed.attached(member, run_number)) {
    return true;
  }
  if (!zab || zab->followers() == nullptr) {
    return false;
  }
  const auto follower = zab->followers()->find(member);
  return follower != zab->followers()->end() && follower->second.run == run_number;
}

void Driver::State::note_applied(Zxid zxid, const Txn& txn) {
  if (!leads()) {
    return;
  }
  preparer->applied(zxid);
  for (const TxnOp& op : txn.ops) {
    note_session(op, txn.origin.member);
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

// A leader takes observers once it reigns; until then it does not say that it is established, or
// they would attach in vain and not hear of it again.
Notification Driver::State::word_to_observers() const {
  Notification word = zab->notification();
  word.established = word.established && (word.role != Role::kLeading || leads());
  return word;
}

// Observers hear who leads, each time it changes.
void Driver::State::tell_observers() {
  if (!zab) {
    return;
  }
  const Notification word = word_to_observers();
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
