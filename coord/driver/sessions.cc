// Sessions on a member that leads, and what it answers without a transaction: syncs, resumed
// sessions, which sidecars are behind.
#include <algorithm>
#include <utility>

#include "coord/driver/state.h"

namespace ringside::coord {

namespace {

// Sessions closed in one turn, and their nodes, so that a mass expiry does not hold up everything
// else.
constexpr std::size_t kExpiriesPerTurn = 64;
constexpr std::size_t kExpiredNodesPerTurn = kCloseSliceNodes;
// A quorum not heard for so many heartbeats counts as away for the clock of sessions.
constexpr int kFreshHeartbeats = 3;

}  // namespace

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

void Driver::State::note_session(const TxnOp& op, MemberId origin) {
  if (const auto* opened = std::get_if<TxnCreateSession>(&op)) {
    sessions.opened({.id = opened->session, .timeout = opened->timeout, .sidecar = opened->sidecar},
                    origin);
  } else if (const auto* closed = std::get_if<TxnCloseSession>(&op)) {
    sessions.closed(closed->session);
    closings.ended(closed->session);
  } else if (const auto* slice = std::get_if<TxnCloseSlice>(&op)) {
    sessions.closed(slice->session);
    closings.stepped(slice->session);
  }
}

void Driver::State::hear_touches(MemberId member, const std::vector<SessionId>& heard) {
  for (const SessionId session : heard) {
    // Attached elsewhere, it is not kept alive from there; its client hears so when it asks.
    static_cast<void>(sessions.use(session, member));
  }
}

bool Driver::State::quorum_is_fresh() const {
  return now - quorum_heard_at() <= kFreshHeartbeats * options.heartbeat_interval;
}

void Driver::State::advance_sessions() {
  if (leads()) {
    sessions.advance(now, quorum_is_fresh(), kFreshHeartbeats * options.heartbeat_interval);
  }
}

void Driver::State::expire_sessions() {
  std::size_t nodes = 0;
  for (std::size_t i = 0; i < kExpiriesPerTurn && nodes < kExpiredNodesPerTurn; ++i) {
    if (!leads() || zab->leading() == nullptr || !quorum_is_fresh()) {
      return;
    }
    const std::vector<SessionId> expired = sessions.take_expired(1);
    if (expired.empty()) {
      return;
    }
    const Txn txn = propose(Request{expired.front(), CloseSession{}}, Origin{});
    if (!txn.ops.empty()) {
      if (const auto* close = std::get_if<TxnCloseSession>(&txn.ops.front())) {
        nodes += close->ephemerals.size();
      }
    }
  }
}

bool Driver::State::continue_closing() {
  if (!leads() || zab->leading() == nullptr) {
    return false;
  }
  const auto next = closings.next();
  if (next) {
    const Zxid zxid = next_zxid();
    propose(zxid, preparer->continue_closing(next->first, next->second, zxid, wall_time()));
  }
  return next.has_value();
}

// --- answers without a transaction

void Driver::State::answer(MemberId member, std::uint64_t run_number, RequestId id, Zxid zxid,
                           Reply answered) {
  if (member == options.self && zxid <= registry.applied()) {
    answered.zxid = registry.applied();
    reply(id, std::move(answered));
  } else if (member == options.self) {
    requests.wait_for(id, zxid, std::move(answered));
  } else if (attached(member, run_number)) {
    send(member, {run_number, RequestAnswer{id, zxid, std::move(answered)}});
  }
}

void Driver::State::perform(const QuorumConfirmed&) {
  for (SyncRequest& asked : syncs.confirmed()) {
    if (std::holds_alternative<Sync>(asked.request.what) && is_voter(asked.member)) {
      answer(asked.member, asked.run, asked.id, asked.zxid, {});
    } else {
      confirmed.emplace(asked.zxid, std::move(asked));
    }
  }
  if (syncs.begin_next()) {
    post(ConfirmQuorum{});
  }
}

// Those that must see here everything proposed before they came: an answer about sessions would not
// know of one that its client already uses, and an observer does not see what lies outside its
// scope, so that what is inside must have been fed to it before the answer.
void Driver::State::answer_confirmed() {
  auto next = confirmed.begin();
  while (next != confirmed.end() && next->first <= registry.applied()) {
    if (feed.attached(next->second.member, next->second.run) &&
        !feed.fed(next->second.member, next->second.run)) {
      ++next;  // it is catching up
      continue;
    }
    const SyncRequest asked = std::move(next->second);
    next = confirmed.erase(next);
    answer(asked.member, asked.run, asked.id, asked.zxid, reply_to(asked));
  }
}

Reply Driver::State::reply_to(const SyncRequest& asked) {
  if (const auto* what = std::get_if<ResumeSession>(&asked.request.what)) {
    return resume(asked.request.session, *what, asked.member);
  }
  if (const auto* what = std::get_if<Routed>(&asked.request.what)) {
    return who_is_behind(what->zxid);
  }
  return {};
}

Reply Driver::State::resume(SessionId session, const ResumeSession& what, MemberId member) {
  Reply reply;
  reply.error = ZkError::kSessionExpired;
  if (!registry.is_secret_of(session, what.secret) || !preparer->session_open(session)) {
    return reply;
  }
  if (const auto timeout = sessions.resume(session, member)) {
    reply.error = ZkError::kOk;
    reply.session = session;
    reply.session_timeout = *timeout;
    reply.secret = what.secret;
  }
  return reply;
}

Reply Driver::State::who_is_behind(Zxid zxid) const {
  Reply reply;
  reply.routed = routed_minimum();
  for (const auto& [session, member] : sessions.sidecars()) {
    const Zxid routed = routed_of(member).value_or(Zxid{});
    if (routed < zxid && reply.behind.size() < kMaxBehind) {
      reply.behind.push_back({session, member, routed});
    }
  }
  return reply;
}

std::optional<Zxid> Driver::State::routed_of(MemberId member) const {
  if (member == options.self) {
    return own_routed;
  }
  if (!is_voter(member)) {
    return feed.routed_of(member);
  }
  if (!zab || zab->followers() == nullptr) {
    return std::nullopt;
  }
  const auto follower = zab->followers()->find(member);
  return follower == zab->followers()->end() ? std::nullopt
                                             : std::optional(follower->second.routed);
}

Zxid Driver::State::routed_minimum() const {
  Zxid least = registry.applied();
  for (const auto& [session, member] : sessions.sidecars()) {
    least = std::min(least, routed_of(member).value_or(Zxid{}));
  }
  return least;
}

}  // namespace ringside::coord
