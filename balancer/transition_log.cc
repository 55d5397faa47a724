#include "balancer/transition_log.h"

#include <utility>

namespace ringside::balancer {

// A slot at place p of the queue (p counts up for ever, the slot is p mod capacity) is free for the
// pusher when its sequence is p, and full for the popper when it is p + 1.
TransitionLog::TransitionLog() {
  for (std::size_t i = 0; i < kCapacity; ++i) {
    slots_[i].sequence.store(i, std::memory_order_relaxed);
  }
}

bool TransitionLog::push(TransitionRecord record) {
  std::size_t place = head_.load(std::memory_order_relaxed);
  for (;;) {
    Slot& slot = slots_[place % kCapacity];
    const std::size_t sequence = slot.sequence.load(std::memory_order_acquire);
    if (sequence == place) {
      if (!head_.compare_exchange_weak(place, place + 1, std::memory_order_relaxed)) continue;
      slot.record = std::move(record);
      slot.sequence.store(place + 1, std::memory_order_release);
      return true;
    }
    if (sequence < place) {  // still holds the record of a round ago
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    place = head_.load(std::memory_order_relaxed);
  }
}

std::optional<TransitionRecord> TransitionLog::pop() {
  Slot& slot = slots_[tail_ % kCapacity];
  if (slot.sequence.load(std::memory_order_acquire) != tail_ + 1) return std::nullopt;
  TransitionRecord record = std::exchange(slot.record, TransitionRecord{});
  slot.sequence.store(tail_ + kCapacity, std::memory_order_release);
  ++tail_;
  return record;
}

}  // namespace ringside::balancer
