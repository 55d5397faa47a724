// Virtual time: a queue of what happens when. Events of the same instant run in the order in which
// they were added, so a run depends on its seed alone. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "config/base/time.h"

namespace ringside::sim {

class EventQueue {
 public:
  using Action = std::function<void()>;

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

  // An instant in the past means now.
  void at(Instant when, Action action) {
    heap_.push_back({std::max(when, now_), next_++, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), Later{});
  }
  void after(Duration delay, Action action) { at(now_ + delay, std::move(action)); }

  // Runs all events up to and including `until`.
  void run_until(Instant until) {
    while (!heap_.empty() && heap_.front().when <= until) {
      std::pop_heap(heap_.begin(), heap_.end(), Later{});
      still_ = heap_.front().when == now_ ? still_ + 1 : 0;
      if (still_ > kMostStepsAtOnce) {
        throw std::runtime_error("time stands still: somebody asks to be called at once, for ever");
      }
      const Action action = std::move(heap_.back().action);
      now_ = heap_.back().when;
      heap_.pop_back();
      ++steps_;
      action();
    }
    now_ = until;
  }

 private:
  struct Event {
    Instant when;
    std::uint64_t order = 0;
    Action action;
  };
  static constexpr std::uint64_t kMostStepsAtOnce = 50'000;

  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
  };

  std::vector<Event> heap_;
  Instant now_{};
  std::uint64_t next_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t still_ = 0;  // steps since time last moved
};

}  // namespace ringside::sim
