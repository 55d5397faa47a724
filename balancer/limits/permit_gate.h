// PermitGate: at most so many of a thing at a time, for the whole process; who finds no room waits,
// and what is freed anywhere goes to whoever has waited longest.
//
// One for each limit: of requests and of waiting calls in UpstreamState, of connections in Host.
// Used by all workers, and by build_table, which sets the limit. A PermitWaiter lives on the thread
// of one worker: only that thread makes it wait, cancels it and collects its permit; other threads
// only hand it one, by way of the worker's PermitInbox.
//
// While nobody waits, taking and freeing is one compare-and-set: no lock, no allocation. Only who
// finds the limit reached, and who frees while somebody waits, takes the mutex. Lock order: gate,
// then inbox, then whatever PermitInbox's `wake` takes.
//
// Invariants
// 1. used() grows only while it is below the limit in force. A lowered limit takes nothing back: it
//    holds as permits come free.
// 2. While somebody waits, nobody else is let in: waiters get permits in the order in which they
//    began to wait, whichever worker they are in.
// 3. Each permit counted in used() is held by exactly one Permit, or granted to exactly one waiter
//    that has not collected it. A waiter that cancels gives back what it was granted meanwhile.
// 4. A gate outlives its permits and waiters; an inbox outlives the waiters that use it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <utility>

namespace ringside::balancer {

class PermitGate;
class PermitInbox;

// Owns one permit; gives it back when released or destroyed. Any thread, one at a time.
class Permit {
 public:
  Permit() = default;
  Permit(Permit&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
  Permit& operator=(Permit&& other) noexcept {
    if (this != &other) {
      release();
      gate_ = std::exchange(other.gate_, nullptr);
    }
    return *this;
  }
  ~Permit() { release(); }

  [[nodiscard]] explicit operator bool() const { return gate_ != nullptr; }
  void release();

 private:
  friend class PermitGate;
  friend class PermitInbox;
  explicit Permit(PermitGate* gate) : gate_(gate) {}
  PermitGate* gate_ = nullptr;
};

class PermitWaiter {
 public:
  PermitWaiter() = default;
  PermitWaiter(const PermitWaiter&) = delete;
  PermitWaiter& operator=(const PermitWaiter&) = delete;

  // From PermitInbox::collect(), no longer waiting. May do anything, destroy this waiter too.
  virtual void on_permit(Permit permit) = 0;
  // Queued, or granted and not yet told.
  [[nodiscard]] bool waiting() const { return gate_ != nullptr; }
  // Waits no more, and on_permit does not come. Nothing if it does not wait.
  void cancel();

 protected:
  ~PermitWaiter();

 private:
  friend class PermitGate;
  friend class PermitInbox;
  friend class WaiterList;
  PermitGate* gate_ = nullptr;  // its thread only
  PermitInbox* inbox_ = nullptr;
  bool granted_ = false;  // guarded by the gate's mutex while waiting
  PermitWaiter* previous_ = nullptr;
  PermitWaiter* next_ = nullptr;
};

// In the order of arrival; guarded by whoever owns it.
class WaiterList {
 public:
  [[nodiscard]] PermitWaiter* front() const { return first_; }
  void push_back(PermitWaiter& waiter);
  void remove(PermitWaiter& waiter);

 private:
  PermitWaiter* first_ = nullptr;
  PermitWaiter* last_ = nullptr;
};

// Where one worker's waiters get their permits: filled by any thread, emptied by the worker.
class PermitInbox {
 public:
  // `wake` must see to it that the worker calls collect() soon. Called from any thread, with a
  // gate's lock held: it may post, nothing else.
  explicit PermitInbox(std::function<void()> wake) : wake_(std::move(wake)) {}
  ~PermitInbox();
  PermitInbox(const PermitInbox&) = delete;
  PermitInbox& operator=(const PermitInbox&) = delete;

  // Tells each waiter whose permit is here. Permits that come meanwhile wake the worker again.
  void collect();
  [[nodiscard]] bool empty() const { return count_.load(std::memory_order_relaxed) == 0; }

 private:
  friend class PermitGate;
  void push(PermitWaiter& waiter, bool wake);
  void remove(PermitWaiter& waiter);
  PermitWaiter* pop();

  std::function<void()> wake_;
  std::mutex mutex_;  // guards the list and woken_
  WaiterList granted_;
  bool woken_ = false;
  std::atomic<std::size_t> count_{0};
};

class PermitGate {
 public:
  static constexpr std::uint32_t kUnlimited = std::numeric_limits<std::uint32_t>::max();

  PermitGate() = default;
  ~PermitGate();
  PermitGate(const PermitGate&) = delete;
  PermitGate& operator=(const PermitGate&) = delete;

  // From now on; one thread at a time. Waiters for whom there is room now get it.
  void set_limit(std::uint32_t limit);
  [[nodiscard]] std::uint32_t limit() const { return limit_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t used() const;

  // Somebody waits, or more is in use than the limit allows by now: who holds something idle is to
  // give it up.
  [[nodiscard]] bool crowded() const;

  // A permit, or none: no room, or somebody waits for it already.
  [[nodiscard]] Permit try_take() { return Permit(enter() ? this : nullptr); }
  // A permit; or none, then `waiter` waits and is told through `inbox`. It must not wait already.
  [[nodiscard]] Permit take_or_wait(PermitWaiter& waiter, PermitInbox& inbox);
  // Grants `permit` (of this gate) to who has waited longest, if that is a waiter of `inbox`, and
  // says whom; for the worker of that inbox, which has something that goes with the permit. Null:
  // nobody waits, or another worker's turn has come, or the limit was lowered; `permit` is as
  // before. Does not wake: the worker is awake, and looks into its inbox when its turn ends.
  PermitWaiter* pass_on(Permit& permit, PermitInbox& inbox);

 private:
  friend class Permit;
  friend class PermitWaiter;

  bool enter();
  void leave();
  void cancel(PermitWaiter& waiter);
  void grant(PermitWaiter& waiter, bool wake);
  void grant_while_room();
  [[nodiscard]] bool queue_marked() const;

  // How many are in use, and in the highest bit whether somebody waits: changed with that bit set
  // only under the mutex.
  alignas(64) std::atomic<std::uint64_t> word_{0};
  std::atomic<std::uint32_t> limit_{kUnlimited};  // written under the mutex
  std::mutex mutex_;                              // guards the queue
  WaiterList queue_;
};

}  // namespace ringside::balancer
