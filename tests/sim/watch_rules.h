// Which events the watches of one member's clients must fire, told independently of coord's
// Watches: from the list of all watches and the changes of each transaction. Each event must be
// told once, in the order of the changes, before anything that shows a later state. Pure; of one
// run of a member.
#pragma once

#include <deque>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "coord/registry/watches.h"
#include "tests/sim/trace.h"

namespace ringside::sim {

class WatchRules {
 public:
  void added(coord::WatcherId watcher, coord::WatchKind kind, const std::string& path);
  void removed(coord::WatcherId watcher);
  // The member applied `zxid`.
  void applied(coord::Zxid zxid, std::span<const coord::Change> changes);
  void event(const coord::WatchEvent& event);
  // The member is about to do `what`, which shows what it has applied.
  void all_told(const char* what) const;

 private:
  struct Watch {
    coord::WatcherId watcher;
    coord::WatchKind kind;
    std::string path;
  };
  void node_changed(coord::Zxid zxid, const coord::Change& change);
  void expect(const Watch& watch, coord::WatchEventKind kind, const std::string& path,
              coord::Zxid zxid);

  std::vector<Watch> watches_;
  std::map<coord::WatcherId, std::deque<coord::WatchEvent>> expected_;
};

}  // namespace ringside::sim
