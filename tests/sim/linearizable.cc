#include "tests/sim/linearizable.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace ringside::sim {

namespace {

struct State {
  bool there = false;
  std::int32_t version = 0;
  std::size_t value = 0;  // place in the list of values

  auto operator<=>(const State&) const = default;
};

// Values as numbers, so that states compare fast.
struct NumberedOp {
  const KeyOp* op = nullptr;
  std::size_t value = 0;
};

std::optional<State> after_set(const State& before, const NumberedOp& one) {
  const KeyOp& op = *one.op;
  const bool fits = op.expected == coord::kAnyVersion || op.expected == before.version;
  switch (op.outcome) {
    case KeyOutcome::kOk: {
      const State after{true, before.version + 1, one.value};
      return before.there && fits && op.version == after.version ? std::optional(after)
                                                                 : std::nullopt;
    }
    case KeyOutcome::kMissing: return before.there ? std::nullopt : std::optional(before);
    case KeyOutcome::kBadVersion:
      return before.there && !fits ? std::optional(before) : std::nullopt;
    case KeyOutcome::kUnknown:
      return before.there && fits ? State{true, before.version + 1, one.value} : before;
    case KeyOutcome::kExists: break;
  }
  return std::nullopt;
}

std::optional<State> after_delete(const State& before, const KeyOp& op) {
  const bool fits = op.expected == coord::kAnyVersion || op.expected == before.version;
  switch (op.outcome) {
    case KeyOutcome::kOk: return before.there && fits ? std::optional(State{}) : std::nullopt;
    case KeyOutcome::kMissing: return before.there ? std::nullopt : std::optional(before);
    case KeyOutcome::kBadVersion:
      return before.there && !fits ? std::optional(before) : std::nullopt;
    case KeyOutcome::kUnknown: return before.there && fits ? State{} : before;
    case KeyOutcome::kExists: break;
  }
  return std::nullopt;
}

// The state after the operation; nullopt: its answer is not right here.
std::optional<State> after(const State& before, const NumberedOp& one) {
  const KeyOp& op = *one.op;
  const State created{true, 0, one.value};
  switch (op.action) {
    case KeyAction::kCreate:
      if (op.outcome == KeyOutcome::kUnknown) {
        return before.there ? before : created;
      }
      if (op.outcome == KeyOutcome::kExists) {
        return before.there ? std::optional(before) : std::nullopt;
      }
      return op.outcome == KeyOutcome::kOk && !before.there ? std::optional(created) : std::nullopt;
    case KeyAction::kSet: return after_set(before, one);
    case KeyAction::kDelete: return after_delete(before, op);
    case KeyAction::kRead: break;
  }
  const bool right = op.outcome == KeyOutcome::kMissing
                         ? !before.there
                         : before == State{true, op.version, one.value};
  return op.outcome == KeyOutcome::kUnknown || right ? std::optional(before) : std::nullopt;
}

// Calls and answers in order of time, as a list out of which taken operations are lifted.
// Operations with an unknown outcome stand beside it and are tried last: most of them never
// happened, or their effect is called for by an answer that fits nothing else.
class Search {
 public:
  explicit Search(const std::vector<KeyOp>& history) : taken_(history.size(), false) {
    number(history);
    std::vector<std::tuple<std::uint64_t, bool, std::size_t>> events;
    for (std::size_t i = 0; i < history.size(); ++i) {
      if (history[i].answered == KeyOp::kNever) {
        unknown_.push_back(i);
        continue;
      }
      events.emplace_back(history[i].called, false, i);
      events.emplace_back(history[i].answered, true, i);
      ++known_;
    }
    std::ranges::sort(unknown_, {}, [&](std::size_t op) { return history[op].called; });
    std::ranges::sort(events);
    links_.resize(events.size() + 1);
    places_.resize(history.size());
    for (std::size_t at = 1; at <= events.size(); ++at) {
      const auto& [when, is_answer, op] = events[at - 1];
      links_[at] = {at - 1, at < events.size() ? at + 1 : 0, op, is_answer};
      (is_answer ? places_[op].answer : places_[op].call) = at;
    }
    links_[0].next = events.empty() ? 0 : 1;
  }

  Verdict run(std::size_t most_steps) {
    begin();
    for (std::size_t steps = 0; known_ > 0; ++steps) {
      if (steps >= most_steps) {
        return Verdict::kGaveUp;
      }
      if (!go_on() && !go_back()) {
        return Verdict::kNot;
      }
    }
    return Verdict::kLinearizable;
  }

 private:
  struct Link {
    std::size_t before = 0;
    std::size_t next = 0;  // 0: the end
    std::size_t op = 0;
    bool is_answer = false;
  };
  struct Places {
    std::size_t call = 0;
    std::size_t answer = 0;
  };
  struct Step {
    std::size_t op = 0;
    State before;
    std::size_t next_unknown = 0;  // of an unknown outcome: the one to be tried after it
  };

  void number(const std::vector<KeyOp>& history) {
    std::map<std::string, std::size_t> values;
    for (const KeyOp& op : history) {
      ops_.push_back({&op, values.try_emplace(op.value, values.size()).first->second});
    }
  }

  [[nodiscard]] bool known(std::size_t op) const { return ops_[op].op->answered != KeyOp::kNever; }

  void begin() {
    at_ = links_[0].next;
    next_unknown_ = 0;
  }

  // Takes the next operation that may come now; false: there is none left to be tried.
  bool go_on() {
    for (; !links_[at_].is_answer; at_ = links_[at_].next) {
      if (take(links_[at_].op, 0)) {
        return true;
      }
    }
    // The first answer of what is left: whatever comes now was called before it.
    const std::uint64_t limit = ops_[links_[at_].op].op->answered;
    while (next_unknown_ < unknown_.size() && ops_[unknown_[next_unknown_]].op->called < limit) {
      const std::size_t op = unknown_[next_unknown_++];
      if (!taken_[op] && after(state_, ops_[op]) != state_ && take(op, next_unknown_)) {
        return true;
      }
    }
    return false;
  }

  // Puts the last one back and looks for another in its place; false: there is none.
  bool go_back() {
    if (path_.empty()) {
      return false;
    }
    const Step last = path_.back();
    path_.pop_back();
    state_ = last.before;
    taken_[last.op] = false;
    next_unknown_ = last.next_unknown;
    if (!known(last.op)) {
      at_ = links_[0].next;
      while (!links_[at_].is_answer) {
        at_ = links_[at_].next;
      }
      return true;
    }
    for (const std::size_t at : {places_[last.op].answer, places_[last.op].call}) {
      links_[links_[at].before].next = at;
      links_[links_[at].next].before = at;
    }
    ++known_;
    at_ = links_[places_[last.op].call].next;
    return true;
  }

  // False: its answer is not right here, or the same operations led to the same state before, and
  // to nothing.
  bool take(std::size_t op, std::size_t next_unknown) {
    const auto next = after(state_, ops_[op]);
    if (!next) {
      return false;
    }
    taken_[op] = true;
    if (!seen_.emplace(taken_, *next).second) {
      taken_[op] = false;
      return false;
    }
    path_.push_back({op, state_, next_unknown});
    state_ = *next;
    if (known(op)) {
      for (const std::size_t at : {places_[op].call, places_[op].answer}) {
        links_[links_[at].before].next = links_[at].next;
        links_[links_[at].next].before = links_[at].before;
      }
      --known_;
    }
    begin();
    return true;
  }

  std::vector<NumberedOp> ops_;
  std::vector<std::size_t> unknown_;  // by call
  std::vector<bool> taken_;
  std::vector<Link> links_;  // [0]: head and end
  std::vector<Places> places_;
  std::vector<Step> path_;
  std::set<std::pair<std::vector<bool>, State>> seen_;
  State state_;
  std::size_t at_ = 0;            // the next of the list to be tried...
  std::size_t next_unknown_ = 0;  // ...and of the unknown ones
  std::size_t known_ = 0;         // operations with an outcome that are not taken
};

}  // namespace

std::string KeyOp::to_string() const {
  constexpr const char* kActions[] = {"create", "set", "delete", "read"};
  constexpr const char* kOutcomes[] = {"ok", "no such node", "exists", "bad version", "unknown"};
  return fmt::format("[{:>5} {:>5}] {}: {} \"{}\"{}: {}, version {}", called,
                     answered == kNever ? "-" : std::to_string(answered), who,
                     kActions[static_cast<int>(action)], value,
                     expected == coord::kAnyVersion ? "" : fmt::format(" over {}", expected),
                     kOutcomes[static_cast<int>(outcome)], version);
}

Verdict judge(const std::vector<KeyOp>& history, std::size_t most_steps) {
  return Search(history).run(most_steps);
}

}  // namespace ringside::sim
