// Who wants to hear of which path: local watches of one member's clients. Pure; owned by the
// driver.
//
// A one-shot watch fires once (data: created, deleted, changed; child: children changed, deleted);
// a persistent recursive one stays and fires for the node and every descendant, never for children
// lists (coordination facts 4.4).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/base/strong_id.h"
#include "coord/registry/registry.h"

namespace ringside::coord {

using WatcherId = StrongId<struct WatcherIdTag>;  // a client of this member, chosen by the caller

enum class WatchKind { kData, kChild, kPersistentRecursive };
enum class WatchEventKind { kCreated = 1, kDeleted = 2, kDataChanged = 3, kChildrenChanged = 4 };

struct WatchEvent {
  WatcherId watcher;
  WatchEventKind kind = WatchEventKind::kCreated;
  std::string path;
  Zxid zxid;
};

class Watches {
 public:
  Watches();
  ~Watches();

  // Adding one that stands already changes nothing. False: the watcher has max_per_watcher already.
  bool add(WatcherId watcher, WatchKind kind, std::string path);
  void remove(WatcherId watcher);  // all of them
  // The events that `changes` of transaction `zxid` cause, in order; one per watcher, path and kind
  // of event for each change, by watcher. One-shot watches that fired are gone.
  std::vector<WatchEvent> fire(Zxid zxid, std::span<const Change> changes);
  [[nodiscard]] std::size_t size() const;

  static constexpr std::size_t kMaxPerWatcher = 1 << 20;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringside::coord
