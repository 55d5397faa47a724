#include "coord/registry/watches.h"

#include <algorithm>
#include <bit>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "coord/registry/path.h"

namespace ringside::coord {
namespace {

using Kinds = std::uint8_t;

constexpr Kinds bit(WatchKind kind) {
  return static_cast<Kinds>(1U << static_cast<unsigned>(kind));
}
constexpr Kinds kData = bit(WatchKind::kData);
constexpr Kinds kChild = bit(WatchKind::kChild);
constexpr Kinds kRecursive = bit(WatchKind::kPersistentRecursive);

struct Holder {
  WatcherId watcher;
  Kinds kinds = 0;
};

struct WatchedPath {
  std::vector<Holder> holders;  // by watcher
};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};
using Paths = std::unordered_map<std::string, WatchedPath, TextHash, std::equal_to<>>;

struct Watcher {
  std::unordered_set<Paths::value_type*> paths;
  std::size_t watches = 0;
};

std::vector<Holder>::iterator place_of(std::vector<Holder>& holders, WatcherId watcher) {
  return std::lower_bound(holders.begin(), holders.end(), watcher,
                          [](const Holder& holder, WatcherId id) { return holder.watcher < id; });
}

WatchEventKind event_of(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kCreated: return WatchEventKind::kCreated;
    case ChangeKind::kDeleted: return WatchEventKind::kDeleted;
    case ChangeKind::kDataChanged: return WatchEventKind::kDataChanged;
  }
  return WatchEventKind::kDataChanged;
}

}  // namespace

struct Watches::State {
  Paths paths;
  std::unordered_map<WatcherId, Watcher> watchers;
  std::size_t watches = 0;
  std::size_t recursive = 0;

  // Adds to `heard_by` who watches `path` in any of `heard`, and takes what is `spent` away.
  void collect(std::string_view path, Kinds heard, Kinds spent, std::vector<WatcherId>& heard_by);
  void collect_recursive(std::string_view path, std::vector<WatcherId>& heard_by);
  void drop_kinds(Paths::value_type& entry, Holder& holder, Kinds kinds);
};

Watches::Watches() : state_(std::make_unique<State>()) {}
Watches::~Watches() = default;

bool Watches::add(WatcherId watcher, WatchKind kind, std::string path) {
  const auto known = state_->watchers.find(watcher);
  const std::size_t held = known == state_->watchers.end() ? 0 : known->second.watches;
  auto found = state_->paths.find(path);
  if (found != state_->paths.end()) {
    const auto& holders = found->second.holders;
    const auto at = place_of(found->second.holders, watcher);
    if (at != holders.end() && at->watcher == watcher && (at->kinds & bit(kind)) != 0) {
      return true;
    }
  }
  if (held >= kMaxPerWatcher) {
    return false;
  }
  if (found == state_->paths.end()) {
    found = state_->paths.emplace(std::move(path), WatchedPath{}).first;
  }
  auto& holders = found->second.holders;
  auto at = place_of(holders, watcher);
  if (at == holders.end() || at->watcher != watcher) {
    at = holders.insert(at, Holder{watcher, 0});
  }
  at->kinds = static_cast<Kinds>(at->kinds | bit(kind));
  Watcher& owner = state_->watchers[watcher];
  owner.paths.insert(&*found);
  ++owner.watches;
  ++state_->watches;
  state_->recursive += kind == WatchKind::kPersistentRecursive ? 1 : 0;
  return true;
}

void Watches::State::drop_kinds(Paths::value_type& entry, Holder& holder, Kinds kinds) {
  const auto gone = static_cast<Kinds>(holder.kinds & kinds);
  const auto count = static_cast<std::size_t>(std::popcount(gone));
  holder.kinds = static_cast<Kinds>(holder.kinds & ~gone);
  watches -= count;
  recursive -= (gone & kRecursive) != 0 ? 1 : 0;
  const auto owner = watchers.find(holder.watcher);
  owner->second.watches -= count;
  if (holder.kinds == 0) {
    owner->second.paths.erase(&entry);
  }
  if (owner->second.watches == 0) {
    watchers.erase(owner);
  }
}

void Watches::remove(WatcherId watcher) {
  const auto owner = state_->watchers.find(watcher);
  if (owner == state_->watchers.end()) {
    return;
  }
  const auto paths = std::exchange(owner->second.paths, {});
  for (Paths::value_type* entry : paths) {
    auto& holders = entry->second.holders;
    const auto at = place_of(holders, watcher);
    state_->drop_kinds(*entry, *at, at->kinds);
    holders.erase(at);
    if (holders.empty()) {
      state_->paths.erase(state_->paths.find(entry->first));
    }
  }
}

void Watches::State::collect(std::string_view path, Kinds heard, Kinds spent,
                             std::vector<WatcherId>& heard_by) {
  const auto found = paths.find(path);
  if (found == paths.end()) {
    return;
  }
  auto& holders = found->second.holders;
  for (Holder& holder : holders) {
    if ((holder.kinds & heard) != 0) {
      heard_by.push_back(holder.watcher);
      drop_kinds(*found, holder, spent);
    }
  }
  std::erase_if(holders, [](const Holder& holder) { return holder.kinds == 0; });
  if (holders.empty()) {
    paths.erase(found);
  }
}

void Watches::State::collect_recursive(std::string_view path, std::vector<WatcherId>& heard_by) {
  for (; recursive != 0 && !path.empty(); path = parent_path(path)) {
    collect(path, kRecursive, 0, heard_by);
  }
}

std::vector<WatchEvent> Watches::fire(Zxid zxid, std::span<const Change> changes) {
  std::vector<WatchEvent> events;
  std::vector<WatcherId> heard_by;
  const auto emit = [&](WatchEventKind kind, std::string_view path) {
    std::sort(heard_by.begin(), heard_by.end());
    heard_by.erase(std::unique(heard_by.begin(), heard_by.end()), heard_by.end());
    for (const WatcherId watcher : heard_by) {
      events.push_back({watcher, kind, std::string(path), zxid});
    }
    heard_by.clear();
  };
  for (const Change& change : changes) {
    const bool deleted = change.kind == ChangeKind::kDeleted;
    const Kinds one_shot = deleted ? kData | kChild : kData;
    state_->collect(change.path, one_shot, one_shot, heard_by);
    state_->collect_recursive(change.path, heard_by);
    emit(event_of(change.kind), change.path);
    if (change.kind != ChangeKind::kDataChanged) {
      const std::string_view above = parent_path(change.path);
      state_->collect(above, kChild, kChild, heard_by);
      emit(WatchEventKind::kChildrenChanged, above);
    }
  }
  return events;
}

std::size_t Watches::size() const {
  return state_->watches;
}

}  // namespace ringside::coord
