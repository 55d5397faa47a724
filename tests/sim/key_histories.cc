#include "tests/sim/key_histories.h"

#include <utility>

namespace ringside::sim {

using coord::ZkError;

KeyHistories::Place KeyHistories::called(const std::string& path, KeyOp op) {
  std::vector<Entry>& key = keys_[path];
  op.called = ++clock_;
  key.push_back({std::move(op), true});
  ++operations_;
  return {path, key.size() - 1};
}

void KeyHistories::answered(const Place& place, const coord::Reply& reply) {
  Entry& entry = keys_.at(place.path).at(place.index);
  switch (reply.error) {
    case ZkError::kConnectionLoss: return;  // open for ever
    case ZkError::kSessionMoved:
    case ZkError::kSessionExpired: entry.counts = false; return;
    case ZkError::kOk: entry.op.outcome = KeyOutcome::kOk; break;
    case ZkError::kNoNode: entry.op.outcome = KeyOutcome::kMissing; break;
    case ZkError::kNodeExists: entry.op.outcome = KeyOutcome::kExists; break;
    case ZkError::kBadVersion: entry.op.outcome = KeyOutcome::kBadVersion; break;
    default: violate("answers: {} for {}", coord::to_string(reply.error), entry.op.to_string());
  }
  entry.op.answered = ++clock_;
  if (reply.error == ZkError::kOk && entry.op.action != KeyAction::kDelete) {
    entry.op.version = reply.results.at(0).stat.version;
  }
}

void KeyHistories::read(const Place& place, KeyOutcome outcome, std::string value,
                        std::int32_t version) {
  KeyOp& op = keys_.at(place.path).at(place.index).op;
  op.outcome = outcome;
  op.value = std::move(value);
  op.version = version;
  op.answered = ++clock_;
}

void KeyHistories::judge_all(Trace& trace) const {
  for (const auto& [path, entries] : keys_) {
    std::vector<KeyOp> history;
    for (const Entry& entry : entries) {
      // A read without an answer shows nothing.
      const bool silent = entry.op.action == KeyAction::kRead && entry.op.answered == KeyOp::kNever;
      if (entry.counts && !silent) {
        history.push_back(entry.op);
      }
    }
    const Verdict verdict = judge(history);
    if (verdict == Verdict::kLinearizable) {
      continue;
    }
    for (const KeyOp& op : history) {
      trace.say("{} {}", path, op.to_string());
    }
    violate("linearizability: the {} operations on {} {}", history.size(), path,
            verdict == Verdict::kNot ? "have no order that explains their answers"
                                     : "were too many to judge");
  }
}

}  // namespace ringside::sim
