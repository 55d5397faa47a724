#include "balancer/limits/permit_gate.h"

#include "config/base/check.h"

namespace ringside::balancer {
namespace {

constexpr std::uint64_t kQueue = std::uint64_t{1} << 63U;

constexpr std::uint32_t used_of(std::uint64_t word) {
  return static_cast<std::uint32_t>(word);
}

}  // namespace

void Permit::release() {
  if (PermitGate* gate = std::exchange(gate_, nullptr)) gate->leave();
}

PermitWaiter::~PermitWaiter() {
  CHECK(gate_ == nullptr);
}

void PermitWaiter::cancel() {
  if (gate_ != nullptr) gate_->cancel(*this);
}

void WaiterList::push_back(PermitWaiter& waiter) {
  waiter.previous_ = last_;
  waiter.next_ = nullptr;
  (last_ == nullptr ? first_ : last_->next_) = &waiter;
  last_ = &waiter;
}

void WaiterList::remove(PermitWaiter& waiter) {
  (waiter.previous_ == nullptr ? first_ : waiter.previous_->next_) = waiter.next_;
  (waiter.next_ == nullptr ? last_ : waiter.next_->previous_) = waiter.previous_;
  waiter.previous_ = waiter.next_ = nullptr;
}

PermitInbox::~PermitInbox() {
  CHECK(empty());
}

// The gate's lock keeps this inbox alive: none of its waiters can cancel meanwhile.
void PermitInbox::push(PermitWaiter& waiter, bool wake) {
  const std::lock_guard lock(mutex_);
  granted_.push_back(waiter);
  count_.fetch_add(1, std::memory_order_relaxed);
  if (wake && !std::exchange(woken_, true)) wake_();
}

void PermitInbox::remove(PermitWaiter& waiter) {
  const std::lock_guard lock(mutex_);
  granted_.remove(waiter);
  count_.fetch_sub(1, std::memory_order_relaxed);
}

PermitWaiter* PermitInbox::pop() {
  const std::lock_guard lock(mutex_);
  PermitWaiter* waiter = granted_.front();
  if (waiter == nullptr) return nullptr;
  granted_.remove(*waiter);
  count_.fetch_sub(1, std::memory_order_relaxed);
  return waiter;
}

void PermitInbox::collect() {
  std::size_t most = 0;
  {
    const std::lock_guard lock(mutex_);
    woken_ = false;
    most = count_.load(std::memory_order_relaxed);
  }
  for (; most > 0; --most) {
    PermitWaiter* waiter = pop();
    if (waiter == nullptr) return;  // some were cancelled by those told before them
    waiter->granted_ = false;
    waiter->on_permit(Permit(std::exchange(waiter->gate_, nullptr)));
  }
}

PermitGate::~PermitGate() {
  CHECK(word_.load(std::memory_order_acquire) == 0);
}

std::uint32_t PermitGate::used() const {
  return used_of(word_.load(std::memory_order_relaxed));
}

bool PermitGate::crowded() const {
  const std::uint64_t word = word_.load(std::memory_order_acquire);
  return (word & kQueue) != 0 || used_of(word) > limit();
}

bool PermitGate::queue_marked() const {
  return (word_.load(std::memory_order_relaxed) & kQueue) != 0;
}

bool PermitGate::enter() {
  const std::uint32_t limit = this->limit();
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  while ((word & kQueue) == 0 && used_of(word) < limit) {
    if (word_.compare_exchange_weak(word, word + 1, std::memory_order_acq_rel,
                                    std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

void PermitGate::leave() {
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  while ((word & kQueue) == 0) {
    if (word_.compare_exchange_weak(word, word - 1, std::memory_order_acq_rel,
                                    std::memory_order_relaxed)) {
      return;
    }
  }
  const std::lock_guard lock(mutex_);
  // The last waiter may have gone since; then others enter and leave beside us.
  word_.fetch_sub(1, std::memory_order_acq_rel);
  grant_while_room();
}

Permit PermitGate::take_or_wait(PermitWaiter& waiter, PermitInbox& inbox) {
  CHECK(!waiter.waiting());
  const std::lock_guard lock(mutex_);
  // Either there is room at one moment and we take it, or there is none at the moment at which the
  // mark is set: from then on whoever frees one comes for the mutex.
  while (!queue_marked()) {
    if (enter()) return Permit(this);
    std::uint64_t full = word_.load(std::memory_order_relaxed);
    if (used_of(full) >= limit() &&
        word_.compare_exchange_weak(full, full | kQueue, std::memory_order_acq_rel,
                                    std::memory_order_relaxed)) {
      break;
    }
  }
  waiter.gate_ = this;
  waiter.inbox_ = &inbox;
  waiter.granted_ = false;
  queue_.push_back(waiter);
  return {};
}

void PermitGate::cancel(PermitWaiter& waiter) {
  {
    const std::lock_guard lock(mutex_);
    if (!waiter.granted_) {
      queue_.remove(waiter);
      if (queue_.front() == nullptr) word_.fetch_and(~kQueue, std::memory_order_acq_rel);
      waiter.gate_ = nullptr;
      return;
    }
  }
  waiter.inbox_->remove(waiter);
  waiter.granted_ = false;
  waiter.gate_ = nullptr;
  leave();
}

// Takes the waiter out of the queue; the permit it gets is counted already.
void PermitGate::grant(PermitWaiter& waiter, bool wake) {
  queue_.remove(waiter);
  if (queue_.front() == nullptr) word_.fetch_and(~kQueue, std::memory_order_acq_rel);
  waiter.granted_ = true;
  waiter.inbox_->push(waiter, wake);
}

void PermitGate::grant_while_room() {
  while (PermitWaiter* waiter = queue_.front()) {
    if (used() >= limit()) return;
    word_.fetch_add(1, std::memory_order_acq_rel);
    grant(*waiter, true);
  }
}

void PermitGate::set_limit(std::uint32_t limit) {
  if (limit == this->limit()) return;
  const std::lock_guard lock(mutex_);
  limit_.store(limit, std::memory_order_relaxed);
  grant_while_room();
}

PermitWaiter* PermitGate::pass_on(Permit& permit, PermitInbox& inbox) {
  CHECK(permit.gate_ == this);
  if (!queue_marked()) return nullptr;
  const std::lock_guard lock(mutex_);
  PermitWaiter* waiter = queue_.front();
  if (waiter == nullptr || waiter->inbox_ != &inbox || used() > limit()) return nullptr;
  permit.gate_ = nullptr;
  grant(*waiter, false);
  return waiter;
}

}  // namespace ringside::balancer
