// The operations of all clients on the znodes that they share, for the linearizability checker:
// writes, and reads behind a sync. Owned by the world's clients, on its one thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "coord/registry/request.h"
#include "tests/sim/linearizable.h"
#include "tests/sim/trace.h"

namespace ringside::sim {

class KeyHistories {
 public:
  struct Place {
    std::string path;
    std::size_t index = 0;
  };

  // `op` without times and outcome.
  Place called(const std::string& path, KeyOp op);
  // The answer to a write.
  void answered(const Place& place, const coord::Reply& reply);
  // The answer to a read; absent: KeyOutcome::kMissing.
  void read(const Place& place, KeyOutcome outcome, std::string value, std::int32_t version);

  // At the end of a run. Throws Violation; in a trace with the whole history of that znode.
  void judge_all(Trace& trace) const;
  [[nodiscard]] std::size_t size() const { return operations_; }

 private:
  struct Entry {
    KeyOp op;
    bool counts = true;  // false: it was surely not done, and shows nothing
  };
  std::map<std::string, std::vector<Entry>> keys_;
  std::uint64_t clock_ = 0;
  std::size_t operations_ = 0;
};

}  // namespace ringside::sim
