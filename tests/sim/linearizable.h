// Is the history of one znode linearizable: is there one order of its operations in which each
// takes effect at a single instant between call and answer, and each answer is right?
//
// Called by the rules of clients at the end of a run, and by the self-test. Pure. The search is
// Wing and Gong's with Lowe's memory (what was taken, and the state it led to, is tried once):
// worst case exponential, so it gives up after `most_steps`. Histories are judged per znode:
// linearizability is a local property (Herlihy and Wing, theorem 1), so that together these judge
// the whole.
//
// An operation whose outcome nobody learnt may take effect at any time after its call, or never;
// what surely was not done (its session had expired) is left out by the caller.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coord/registry/stat.h"

namespace ringside::sim {

enum class KeyAction { kCreate, kSet, kDelete, kRead };
enum class KeyOutcome { kOk, kMissing, kExists, kBadVersion, kUnknown };

struct KeyOp {
  KeyAction action = KeyAction::kRead;
  std::string value;                           // written; of a read: seen
  std::int32_t expected = coord::kAnyVersion;  // of a set or delete
  std::int32_t version = 0;                    // after a set, or seen by a read
  KeyOutcome outcome = KeyOutcome::kUnknown;
  // Numbers of events: all different, growing with time. `answered` of an unknown outcome is
  // kNever.
  std::uint64_t called = 0;
  std::uint64_t answered = kNever;
  std::string who;

  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  [[nodiscard]] std::string to_string() const;
};

enum class Verdict { kLinearizable, kNot, kGaveUp };

// The znode is absent at first.
Verdict judge(const std::vector<KeyOp>& history, std::size_t most_steps = 500'000);

}  // namespace ringside::sim
