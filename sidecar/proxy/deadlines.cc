#include "sidecar/proxy/deadlines.h"

#include <algorithm>

namespace ringside::proxy {

namespace {

constexpr std::int64_t kSlotNs = Duration(Deadlines::kSlot).count();

}  // namespace

void Deadlines::Entry::unlink() {
  if (next_ != nullptr) {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = nullptr;
    previous_ = nullptr;
  }
}

Deadlines::Anchor::Anchor() {
  // A circle of one; insert() needs no special case.
  insert(*this, *this);
}

void Deadlines::insert(Entry& anchor, Entry& entry) {
  if (&anchor == &entry) {
    anchor.next_ = &anchor;
    anchor.previous_ = &anchor;
    return;
  }
  entry.previous_ = anchor.previous_;
  entry.next_ = &anchor;
  anchor.previous_->next_ = &entry;
  anchor.previous_ = &entry;
}

Deadlines::Deadlines(Instant now) : done_(now.time_since_epoch().count() / kSlotNs) {}

Deadlines::~Deadlines() {
  for (Anchor& slot : slots_) {
    while (slot.next_ != &slot) {
      slot.next_->unlink();
    }
  }
}

std::int64_t Deadlines::tick_of(Instant when) {
  return (when.time_since_epoch().count() + kSlotNs - 1) / kSlotNs;
}

void Deadlines::arm(Entry& entry, Instant due) {
  entry.due_ = due;
  if (due == kNever) {
    return;
  }
  if (entry.next_ == nullptr) {
    link(entry);
  } else if (tick_of(due) < entry.tick_) {
    entry.unlink();
    link(entry);
  }
}

void Deadlines::link(Entry& entry) {
  // Farther than the wheel reaches: the farthest slot, and looked at again from there.
  const auto last = done_ + static_cast<std::int64_t>(kSlots) - 1;
  entry.tick_ = std::clamp(tick_of(entry.due_), done_ + 1, last);
  insert(slots_[static_cast<std::size_t>(entry.tick_) % kSlots], entry);
}

Instant Deadlines::next() const {
  for (std::int64_t tick = done_ + 1; tick < done_ + static_cast<std::int64_t>(kSlots); ++tick) {
    const Anchor& slot = slots_[static_cast<std::size_t>(tick) % kSlots];
    if (slot.next_ != &slot) {
      return Instant{nanoseconds{tick * kSlotNs}};
    }
  }
  return kNever;
}

void Deadlines::fire(Instant now) {
  const std::int64_t until = now.time_since_epoch().count() / kSlotNs;
  // After a long silence one round over all slots is enough.
  std::int64_t tick = std::max(done_, until - static_cast<std::int64_t>(kSlots)) + 1;
  for (; tick <= until; ++tick) {
    Anchor& slot = slots_[static_cast<std::size_t>(tick) % kSlots];
    done_ = tick;
    // Into a circle of its own, so that what is armed meanwhile can't be met again in this round.
    Anchor due;
    while (slot.next_ != &slot) {
      Entry& entry = *slot.next_;
      entry.unlink();
      insert(due, entry);
    }
    while (due.next_ != &due) {
      Entry& entry = *due.next_;
      entry.unlink();
      if (entry.due_ == kNever) {
        continue;
      }
      if (entry.due_ > now) {
        link(entry);
        continue;
      }
      entry.due_ = kNever;
      entry.on_deadline(now);
    }
  }
  done_ = std::max(done_, until);
}

}  // namespace ringside::proxy
