// View: one worker's hold on the routing table; Pin: what keeps the table of a running exchange
// alive after a newer one has come.
//
// One View per worker; View and Pins are used by that worker's thread only, so the count is a plain
// integer: a pick touches no shared reference count. An exchange takes a Pin when it begins (and
// one more when a retry goes by a newer table) and drops them when it ends; every Host, HostEntry
// and Upstream it saw lives until then. Pins may outlive the View.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "balancer/routing_table.h"

namespace ringside::balancer {

class Pin {
 public:
  Pin() = default;
  Pin(const Pin& other) : lease_(other.lease_) {
    if (lease_ != nullptr) ++lease_->pins;
  }
  Pin(Pin&& other) noexcept : lease_(std::exchange(other.lease_, nullptr)) {}
  Pin& operator=(Pin other) noexcept {
    std::swap(lease_, other.lease_);
    return *this;
  }
  ~Pin() {
    if (lease_ != nullptr && --lease_->pins == 0) delete lease_;
  }

  // Null for a Pin made by default or taken before the first table came.
  [[nodiscard]] const RoutingTable* table() const {
    return lease_ == nullptr ? nullptr : lease_->table.get();
  }

 private:
  friend class View;
  struct Lease {
    std::shared_ptr<const RoutingTable> table;
    std::uint64_t pins = 1;
  };
  explicit Pin(std::shared_ptr<const RoutingTable> table)
      : lease_(new Lease{.table = std::move(table)}) {}

  Lease* lease_ = nullptr;
};

class View {
 public:
  // The message of the control loop has arrived. `table` must not be null.
  void update(std::shared_ptr<const RoutingTable> table) { current_ = Pin(std::move(table)); }

  [[nodiscard]] const RoutingTable* table() const { return current_.table(); }
  [[nodiscard]] Pin pin() const { return current_; }

 private:
  Pin current_;
};

}  // namespace ringside::balancer
