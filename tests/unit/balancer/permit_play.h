// What the tests of the permit gate share: a waiter that keeps what it gets, and workers that have
// an inbox each.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "balancer/limits/permit_gate.h"

namespace ringside::balancer::test {

struct TestWaiter final : PermitWaiter {
  ~TestWaiter() { cancel(); }
  void on_permit(Permit given) override {
    permit = std::move(given);
    if (told != nullptr) told->push_back(name);
  }
  Permit permit;
  std::size_t name = 0;
  std::vector<std::size_t>* told = nullptr;  // who was told, in order
};

struct TestWorker {
  PermitInbox inbox{[this] { ++wakes; }};
  int wakes = 0;
};

}  // namespace ringside::balancer::test
