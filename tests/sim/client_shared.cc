// What clients do with the znodes that they share: the histories that are judged for
// linearizability, plain reads, and watches.
#include <utility>

#include "tests/sim/client.h"

namespace ringside::sim {

using coord::Reply;
using coord::ZkError;

namespace {

// Half of them lie where observers look.
constexpr const char* kKeys[] = {"/ringside/shared/a", "/shared/b", "/ringside/shared/c",
                                 "/shared/d"};

Bytes bytes_of(const std::string& value) {
  const ByteView view = as_bytes(value);
  return {view.begin(), view.end()};
}

}  // namespace

void Client::contend() {
  const bool observer = !member_->voter();
  const std::string path = kKeys[observer ? 2 * rng_.below(2) : rng_.below(4)];
  const auto action = rng_.below(12);
  if (action >= 9) {
    plain_read(path);
    return;
  }
  if (action >= 6) {
    synced_read(path);
    return;
  }
  const auto node = look_at(path);
  // What it read may be old by now: then the ring must say so.
  const std::int32_t expected = node && rng_.chance(0.6) ? node->version : coord::kAnyVersion;
  KeyOp called;
  called.who = name_;
  called.expected = expected;
  if (!node || rng_.chance(0.05)) {
    called.action = KeyAction::kCreate;
    called.value = fresh_value();
    write_shared(path,
                 coord::Create{path, bytes_of(called.value), coord::CreateMode::kPersistent, true},
                 called);
  } else if (action == 0) {
    called.action = KeyAction::kDelete;
    write_shared(path, coord::Delete{.path = path, .version = expected}, called);
  } else {
    called.action = KeyAction::kSet;
    called.value = fresh_value();
    write_shared(path, coord::SetData{path, bytes_of(called.value), expected}, called);
  }
}

void Client::write_shared(const std::string& path, coord::WriteOp op, KeyOp called) {
  const auto place = world_.histories.called(path, std::move(called));
  ask({session_, coord::Multi{{std::move(op)}}},
      [this, place](const Reply& reply) { world_.histories.answered(place, reply); });
}

void Client::synced_read(const std::string& path) {
  KeyOp called;
  called.who = name_;
  const auto place = world_.histories.called(path, std::move(called));
  SimMember* const member = member_;
  ask({session_, coord::Sync{}}, [this, place, member, run = member_run_](const Reply& reply) {
    if (reply.error != ZkError::kOk || member->run() != run || !member->up()) {
      return;
    }
    const auto node = member->driver().registry().get(place.path);
    world_.histories.read(place, node ? KeyOutcome::kOk : KeyOutcome::kMissing,
                          node ? std::string(node->data) : "", node ? node->stat.version : 0);
  });
}

std::optional<NodeState> Client::look_at(const std::string& path) {
  std::optional<NodeState> seen;
  if (const auto node = member_->driver().registry().get(path)) {
    seen = NodeState{std::string(node->data), node->stat.version, node->stat.mzxid};
  }
  world_.tree.read(name_, path, member_->view(), seen);
  const auto watch = watched_.find(path);
  const bool watching = watch != watched_.end() && watched_reloads_ == member_->reloads();
  if (watching && watch->second != (seen ? seen->modified : coord::Zxid{})) {
    violate("watches: {} sees a change of {} and was not told of it", name_, path);
  }
  return seen;
}

void Client::plain_read(const std::string& path) {
  const auto seen = look_at(path);
  rules_.looked(member_->view());
  if (!rng_.chance(0.5)) {
    return;
  }
  if (watched_reloads_ != member_->reloads()) {
    watched_.clear();  // those that stand fire one day, and tell nothing that was promised
    watched_reloads_ = member_->reloads();
    member_->unwatch(watcher_);
  }
  watched_[path] = seen ? seen->modified : coord::Zxid{};
  member_->watch(watcher_, coord::WatchKind::kData, path,
                 [this](const coord::WatchEvent& event) { told(event); });
}

// New at a member: it may listen to what all do there.
void Client::watch_names() {
  watched_reloads_ = member_->reloads();
  if (rng_.chance(0.5)) {
    member_->watch(all_watcher_, coord::WatchKind::kPersistentRecursive, "/ringside/shared",
                   [](const coord::WatchEvent&) {});
    member_->watch(all_watcher_, coord::WatchKind::kChild, "/ringside/names",
                   [](const coord::WatchEvent&) {});
  }
}

// It leaves the member, or the member it had is another process by now.
void Client::forget_watches() {
  watched_.clear();
  if (member_ != nullptr && member_->run() == member_run_ && member_->up()) {
    member_->unwatch(watcher_);
    member_->unwatch(all_watcher_);
  }
}

void Client::told(const coord::WatchEvent& event) {
  if (watched_reloads_ == member_->reloads() && watched_.erase(event.path) == 0) {
    violate("watches: {} hears twice of {}, or never asked", name_, event.path);
  }
}

}  // namespace ringside::sim
