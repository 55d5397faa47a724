#include "sidecar/app/znode_service.h"

#include <algorithm>
#include <utility>

#include "coord/registry/path.h"
#include "sidecar/app/znode_trouble.h"

namespace ringside::app {

namespace {

using admin::Trouble;
using admin::TroubleWord;
using admin::ZnodeMethod;

// After a refusal that costs nothing: not at once again, which would be for ever.
constexpr milliseconds kPause{20};
// Set finds no node, create finds one, and so on: somebody works against it.
constexpr int kMaxRounds = 8;

coord::CreateMode mode_of(const admin::ZnodeCall& call) {
  if (call.sequential) {
    return call.ephemeral ? coord::CreateMode::kEphemeralSequential
                          : coord::CreateMode::kPersistentSequential;
  }
  return call.ephemeral ? coord::CreateMode::kEphemeral : coord::CreateMode::kPersistent;
}

}  // namespace

struct ZnodeService::Pending {
  admin::ZnodeCall call;
  Answered answered;  // empty: done
  Instant deadline{};
  Instant not_before{};
  coord::SessionId session;  // asked under
  bool out = false;          // a request is under way
  bool creating = false;     // a PUT, POST: the node is made; else it is set
  int rounds = 0;

  [[nodiscard]] bool local() const { return call.method == ZnodeMethod::kGet && !call.sync; }
};

void ZnodeService::ask(Instant now, admin::ZnodeCall call, Answered answered) {
  now_ = now;
  if (pending_.size() >= kMaxPending) {
    return answered(
        Trouble{TroubleWord::kBusy, "too many requests wait for the ring; nothing was done"});
  }
  auto pending = std::make_shared<Pending>();
  pending->deadline = now + call.timeout;
  pending->creating =
      call.method == ZnodeMethod::kPost || call.create_only ||
      (call.method == ZnodeMethod::kPut && !call.version && !client_.registry().get(call.path));
  pending->call = std::move(call);
  pending->answered = std::move(answered);
  pending_.push_back(pending);
  attempt(pending);
}

void ZnodeService::moved(Instant now) {
  if (!pending_.empty()) {
    go_on(now);
  }
}

void ZnodeService::tick(Instant now) {
  go_on(now);
  for (const PendingPtr& pending : std::vector(pending_)) {
    if (now >= pending->deadline && pending->answered) {
      finish(*pending, too_late(pending->call, pending->out, client_.in_touch()));
    }
  }
}

void ZnodeService::go_on(Instant now) {
  now_ = now;
  for (const PendingPtr& pending : std::vector(pending_)) {  // attempt() may end some
    attempt(pending);
  }
}

void ZnodeService::attempt(const PendingPtr& pending) {
  if (!pending->answered || pending->out || now_ < pending->not_before) {
    return;
  }
  if (pending->call.method == ZnodeMethod::kGet && !client_.has_view()) {
    return;
  }
  if (pending->local()) {
    return finish(*pending, read(pending->call));
  }
  const bool ready = client_.in_touch() && (!pending->call.ephemeral || keeper_.session());
  if (ready) {
    submit(pending);
  }
}

void ZnodeService::submit(const PendingPtr& pending) {
  const admin::ZnodeCall& call = pending->call;
  coord::Request request;
  coord::Multi multi;
  const std::int32_t version = call.version.value_or(coord::kAnyVersion);
  if (call.method == ZnodeMethod::kDelete) {
    multi.ops.emplace_back(coord::Delete{call.path, version, false});
  } else if (pending->creating) {
    multi.ops.emplace_back(coord::Create{call.path, call.data, mode_of(call), call.parents});
  } else {
    multi.ops.emplace_back(coord::SetData{call.path, call.data, version});
  }
  if (call.method == ZnodeMethod::kGet) {
    request.what = coord::Sync{};
  } else {
    request.what = std::move(multi);
  }
  request.session = call.ephemeral ? keeper_.session() : coord::SessionId{};
  pending->session = request.session;
  pending->out = true;
  client_.submit(std::move(request),
                 [this, pending](const coord::Reply& reply) { replied(pending, reply); });
}

void ZnodeService::replied(const PendingPtr& pending, const coord::Reply& reply) {
  pending->out = false;
  if (!pending->answered) {
    return;  // it was too late
  }
  const admin::ZnodeCall& call = pending->call;
  if (reply.error != coord::ZkError::kOk) {
    if (another_way(*pending, reply)) {
      attempt(pending);
    } else {
      finish(*pending, trouble_of(reply.error, call, pending->creating));
    }
  } else if (call.method == ZnodeMethod::kGet) {
    finish(*pending, read(call));
  } else if (call.method == ZnodeMethod::kDelete) {
    finish(*pending, admin::ZnodeDeleted{call.path, reply.zxid});
  } else {
    admin::ZnodeWritten written{call.path, pending->creating, std::nullopt, reply.zxid};
    if (!reply.results.empty()) {
      const coord::OpResult& result = reply.results.front();
      written.path = result.path.empty() ? call.path : result.path;
      if (result.stat.mzxid != coord::Zxid{}) {  // czxid is zero of the root too
        written.stat = result.stat;
      }
    }
    finish(*pending, std::move(written));
  }
}

bool ZnodeService::another_way(Pending& pending, const coord::Reply& reply) {
  const admin::ZnodeCall& call = pending.call;
  const bool upserts = call.method == ZnodeMethod::kPut && !call.version && !call.create_only;
  const bool gone = reply.error == coord::ZkError::kNoNode && !pending.creating;
  const bool there = reply.error == coord::ZkError::kNodeExists && pending.creating;
  if (upserts && (gone || there) && ++pending.rounds < kMaxRounds) {
    pending.creating = gone;
    return true;
  }
  if (reply.error == coord::ZkError::kSessionExpired && pending.session) {
    pending.not_before = now_ + kPause;
    keeper_.expired(now_, pending.session);
    return true;
  }
  if (reply.error == coord::ZkError::kSessionMoved && pending.session) {
    pending.not_before = now_ + kPause;
    keeper_.moved(now_, pending.session);
    return true;
  }
  if (reply.error == coord::ZkError::kConnectionLoss && call.method == ZnodeMethod::kGet) {
    pending.not_before = now_ + kPause;
    return true;
  }
  return false;
}

void ZnodeService::finish(Pending& pending, admin::ZnodeAnswer answer) {
  const Answered answered = std::exchange(pending.answered, nullptr);
  std::erase_if(pending_, [&](const PendingPtr& other) { return other.get() == &pending; });
  answered(std::move(answer));
}

admin::ZnodeAnswer ZnodeService::read(const admin::ZnodeCall& call) const {
  const coord::Registry& registry = client_.registry();
  if (registry.scoped() && !coord::in_scope(call.path)) {
    return not_in_view();
  }
  const auto node = registry.get(call.path);
  if (!node) {
    return trouble_of(coord::ZkError::kNoNode, call, false);
  }
  admin::ZnodeRead answer;
  answer.path = call.path;
  answer.data = std::string(node->data);
  answer.stat = node->stat;
  if (!call.raw && node->stat.num_children <= static_cast<std::int32_t>(admin::kMaxChildrenShown)) {
    answer.children = registry.children(call.path);
  }
  answer.zxid = registry.applied();
  answer.stale = !client_.in_touch();
  return answer;
}

}  // namespace ringside::app
