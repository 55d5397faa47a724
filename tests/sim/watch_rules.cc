#include "tests/sim/watch_rules.h"

#include <algorithm>
#include <string_view>

namespace ringside::sim {

using coord::ChangeKind;
using coord::WatchEvent;
using coord::WatchEventKind;
using coord::WatchKind;

namespace {

WatchEventKind event_of(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kCreated: return WatchEventKind::kCreated;
    case ChangeKind::kDeleted: return WatchEventKind::kDeleted;
    case ChangeKind::kDataChanged: break;
  }
  return WatchEventKind::kDataChanged;
}

bool is_at_or_below(std::string_view path, std::string_view top) {
  return path == top || top == "/" ||
         (path.starts_with(top) && path.size() > top.size() && path[top.size()] == '/');
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

void WatchRules::added(coord::WatcherId watcher, WatchKind kind, const std::string& path) {
  const bool there = std::ranges::any_of(watches_, [&](const Watch& watch) {
    return watch.watcher == watcher && watch.kind == kind && watch.path == path;
  });
  if (!there) {
    watches_.push_back({watcher, kind, path});
  }
}

void WatchRules::removed(coord::WatcherId watcher) {
  std::erase_if(watches_, [&](const Watch& watch) { return watch.watcher == watcher; });
}

void WatchRules::expect(const Watch& watch, WatchEventKind kind, const std::string& path,
                        coord::Zxid zxid) {
  auto& events = expected_[watch.watcher];
  const bool doubled = !events.empty() && events.back().zxid == zxid &&
                       events.back().kind == kind && events.back().path == path;
  if (!doubled) {  // one event though several watches of one watcher fire
    events.push_back({watch.watcher, kind, path, zxid});
  }
}

void WatchRules::node_changed(coord::Zxid zxid, const coord::Change& change) {
  const bool data_only = change.kind == ChangeKind::kDataChanged;
  const bool deleted = change.kind == ChangeKind::kDeleted;
  const auto fires_for_node = [&](const Watch& watch) {
    return watch.kind == WatchKind::kPersistentRecursive
               ? is_at_or_below(change.path, watch.path)
               : watch.path == change.path && (watch.kind == WatchKind::kData || deleted);
  };
  for (const Watch& watch : watches_) {
    if (fires_for_node(watch)) {
      expect(watch, event_of(change.kind), change.path, zxid);
    }
  }
  const auto one_shot = [](const Watch& watch) {
    return watch.kind != WatchKind::kPersistentRecursive;
  };
  std::erase_if(watches_,
                [&](const Watch& watch) { return one_shot(watch) && fires_for_node(watch); });
  if (data_only) {
    return;
  }
  const std::string parent = parent_of(change.path);
  const auto fires_for_parent = [&](const Watch& watch) {
    return watch.kind == WatchKind::kChild && watch.path == parent;
  };
  for (const Watch& watch : watches_) {
    if (fires_for_parent(watch)) {
      expect(watch, WatchEventKind::kChildrenChanged, parent, zxid);
    }
  }
  std::erase_if(watches_, fires_for_parent);
}

void WatchRules::applied(coord::Zxid zxid, std::span<const coord::Change> changes) {
  all_told("apply the next transaction");
  for (const coord::Change& change : changes) {
    node_changed(zxid, change);
  }
}

void WatchRules::event(const WatchEvent& event) {
  const auto found = expected_.find(event.watcher);
  if (found == expected_.end()) {
    violate("watches: an event of {} at {} for nobody's watch", event.path, event.zxid.to_string());
  }
  const WatchEvent& next = found->second.front();
  if (next.kind != event.kind || next.path != event.path || next.zxid != event.zxid) {
    violate("watches: an event of {} at {} where one of {} at {} is due", event.path,
            event.zxid.to_string(), next.path, next.zxid.to_string());
  }
  found->second.pop_front();
  if (found->second.empty()) {
    expected_.erase(found);
  }
}

void WatchRules::all_told(const char* what) const {
  if (!expected_.empty()) {
    const WatchEvent& next = expected_.begin()->second.front();
    violate("watches: about to {}, and the event of {} at {} was not told", what, next.path,
            next.zxid.to_string());
  }
}

}  // namespace ringside::sim
