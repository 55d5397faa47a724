// RoutedMark: which table a worker routes by, for sure: it has switched to it, and no call picked
// by one before it is still unsent. What the ring is told of the data path stands on this.
//
// One per worker, on its thread. A call holds a Ticket from its pick until its first byte has gone
// to the kernel, or until it is picked anew or given up. Tickets do not outlive the mark.
// Invariants: routed() never goes back; a pick costs a count, no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

#include "balancer/routing_table.h"

namespace ringside::proxy {

class RoutedMark {
  struct Table {
    balancer::TableVersion version;
    std::size_t unsent = 0;
  };

 public:
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept { *this = std::move(other); }
    Ticket& operator=(Ticket&& other) noexcept {
      drop();
      mark_ = std::exchange(other.mark_, nullptr);
      table_ = std::exchange(other.table_, nullptr);
      return *this;
    }
    ~Ticket() { drop(); }
    void drop() {
      if (RoutedMark* mark = std::exchange(mark_, nullptr)) {
        --table_->unsent;
        mark->settle();
      }
    }

   private:
    friend class RoutedMark;
    Ticket(RoutedMark& mark, Table& table) : mark_(&mark), table_(&table) { ++table.unsent; }
    RoutedMark* mark_ = nullptr;
    Table* table_ = nullptr;
  };

  // Called, on the worker's thread, each time routed() has grown.
  void on_change(std::function<void(balancer::TableVersion)> changed) {
    changed_ = std::move(changed);
  }
  // The worker picks by this table from now on.
  void adopt(balancer::TableVersion version) {
    tables_.push_back({version, 0});
    settle();
  }
  // A pick by the table adopted last; without one there is nothing to hold.
  Ticket picked() { return tables_.empty() ? Ticket() : Ticket(*this, tables_.back()); }
  [[nodiscard]] balancer::TableVersion routed() const { return routed_; }

 private:
  void settle() {
    while (tables_.size() > 1 && tables_.front().unsent == 0) {
      tables_.pop_front();
    }
    if (!tables_.empty() && tables_.front().version != routed_) {
      routed_ = tables_.front().version;
      if (changed_) {
        changed_(routed_);
      }
    }
  }

  std::deque<Table> tables_;  // the last is the one in use; those before it have unsent picks
  balancer::TableVersion routed_;
  std::function<void(balancer::TableVersion)> changed_;
};

}  // namespace ringside::proxy
