// Many deadlines that move with every request, at the price of one store each: a timing wheel with
// lazy entries.
//
// One per worker; its thread only. Reads no clock: the worker calls fire(now) when next() is due.
// An entry that is armed for later than it was stays in its slot; when the slot comes up it is put
// where it belongs. So a connection that serves thousands of requests a second is touched by the
// wheel once in a while, not per request. Precision: never early, at most kSlot late.
// Invariants: 1. an armed entry is in exactly one slot, at or before its due time; 2. on_deadline
// runs with the entry disarmed and may arm, disarm or destroy any entry, itself included.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "config/base/time.h"

namespace ringside::proxy {

class Deadlines {
 public:
  static constexpr milliseconds kSlot{8};
  static constexpr std::size_t kSlots = 1024;

  class Entry {
   public:
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    virtual void on_deadline(Instant now) = 0;
    [[nodiscard]] bool armed() const { return next_ != nullptr && due_ != kNever; }

   protected:
    ~Entry() { unlink(); }

   private:
    friend class Deadlines;
    void unlink();

    Entry* previous_ = nullptr;
    Entry* next_ = nullptr;  // nullptr: in no slot
    std::int64_t tick_ = 0;  // of the slot it is in
    Instant due_ = kNever;
  };

  explicit Deadlines(Instant now);
  ~Deadlines();

  // Calls on_deadline once, at or after `due`; kNever disarms. A later call replaces an earlier.
  void arm(Entry& entry, Instant due);
  void disarm(Entry& entry) { entry.due_ = kNever; }

  // When fire() is to be called: not after the earliest deadline. kNever: nothing is armed.
  [[nodiscard]] Instant next() const;
  void fire(Instant now);

 private:
  // The ends of a circular list.
  struct Anchor final : Entry {
    Anchor();
    void on_deadline(Instant) override {}
  };
  static std::int64_t tick_of(Instant when);  // the first slot that ends at or after `when`
  void link(Entry& entry);
  static void insert(Entry& anchor, Entry& entry);

  std::array<Anchor, kSlots> slots_;
  std::int64_t done_;  // all slots up to this tick are fired
};

}  // namespace ringside::proxy
