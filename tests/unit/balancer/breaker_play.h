// The breaker as a table: at a time an act, then the state it must be in. Calls are numbered in the
// order in which they begin, so that a row can end any of them, late ones too.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "balancer/breaker/breaker.h"
#include "tests/unit/balancer/support.h"

namespace ringside::balancer::test {

using enum BreakerState;
using Reason = BreakerReason;

struct Act {
  enum Kind { kCall, kRejected, kEnd } kind = kCall;
  std::size_t call = 0;  // kEnd: which
  Outcome outcome = Outcome::kSuccess;
  milliseconds took{1};
};

constexpr Act call() {
  return {.kind = Act::kCall};
}
constexpr Act rejected() {
  return {.kind = Act::kRejected};
}
constexpr Act good(std::size_t call) {
  return {.kind = Act::kEnd, .call = call};
}
constexpr Act bad(std::size_t call) {
  return {.kind = Act::kEnd, .call = call, .outcome = Outcome::kFailure};
}
constexpr Act neutral(std::size_t call) {
  return {.kind = Act::kEnd, .call = call, .outcome = Outcome::kNeutral};
}
constexpr Act slow(std::size_t call) {
  return {.kind = Act::kEnd, .call = call, .took = milliseconds{5000}};
}

struct Row {
  std::int64_t ms;
  Act act;
  BreakerState after;
  std::optional<Reason> reason = std::nullopt;  // of the transition that this act makes
  milliseconds open_for{0};
};

struct Play {
  explicit Play(config::CircuitBreaker with) : settings(with) {}

  void row(const Row& row) {
    CAPTURE(row.ms);
    std::optional<Transition> transition;
    if (row.act.kind == Act::kEnd) {
      transition = breaker.record(settings, stamps.at(row.act.call), row.act.outcome, row.act.took,
                                  at(row.ms));
    } else {
      const bool would = breaker.would_admit(settings, at(row.ms));
      const auto admission = breaker.admit(settings, at(row.ms));
      CHECK(would == admission.has_value());
      CHECK(admission.has_value() == (row.act.kind == Act::kCall));
      if (admission) {
        stamps.push_back(admission->stamp);
        transition = admission->transition;
      }
    }
    CHECK(std::string(to_string(breaker.state(settings))) == to_string(row.after));
    CHECK(transition.has_value() == row.reason.has_value());
    if (transition && row.reason) {
      CHECK(transition->to == row.after);
      CHECK(std::string(to_string(transition->reason)) == to_string(*row.reason));
      CHECK(transition->open_for == row.open_for);
    }
  }

  void rows(const std::vector<Row>& script) {
    for (std::size_t i = 0; i < script.size(); ++i) {
      CAPTURE(i);
      row(script[i]);
    }
  }

  // `count` calls that end at once, all at `ms`.
  void many(std::int64_t ms, int count, Outcome outcome, milliseconds took = milliseconds{1}) {
    for (int i = 0; i < count; ++i) {
      const auto admission = breaker.admit(settings, at(ms));
      REQUIRE(admission);
      CHECK_FALSE(breaker.record(settings, admission->stamp, outcome, took, at(ms)));
    }
  }

  config::CircuitBreaker settings;
  Breaker breaker;
  std::vector<BreakerStamp> stamps;
};

}  // namespace ringside::balancer::test
