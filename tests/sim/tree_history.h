// What each znode was at each zxid, out of the one history that all members walk: a plain read must
// show exactly the state at the zxid it was answered at. With zxids that never go back within a
// session (client_rules.h) that is sequential consistency, and stronger. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coord/zab/types.h"
#include "tests/sim/trace.h"

namespace ringside::sim {

struct NodeState {
  std::string data;
  std::int32_t version = 0;
  coord::Zxid modified;

  bool operator==(const NodeState&) const = default;
};

class TreeHistory {
 public:
  // Transaction `zxid` left `path` so (nullopt: deleted). Then extended().
  void changed(coord::Zxid zxid, const std::string& path, std::optional<NodeState> state);
  void extended(coord::Zxid zxid);
  // Somebody read `got` of `path`, complete up to `at`; judged once the history has got there.
  void read(const std::string& who, const std::string& path, coord::Zxid at,
            const std::optional<NodeState>& got);

 private:
  struct Version {
    coord::Zxid zxid;
    std::optional<NodeState> state;
  };
  struct Read {
    std::string who;
    std::string path;
    coord::Zxid at;
    std::optional<NodeState> got;
  };
  void judge(const Read& read) const;

  std::map<std::string, std::vector<Version>> nodes_;
  std::multimap<coord::Zxid, Read> early_;  // of what no voter has delivered yet
  coord::Zxid last_;
};

}  // namespace ringside::sim
