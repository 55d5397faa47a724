#include <doctest/doctest.h>

#include <vector>

#include "balancer/health/health_state.h"
#include "tests/unit/balancer/support.h"

namespace ringside::balancer {
namespace {

using namespace test;
using enum HealthPhase;
using enum HealthChange;

struct Row {
  bool passed;
  HealthPhase phase;
  HealthChange change;
};

// interval 2 s, rise 2, fall 3: one result a second.
void check_rows(HealthState& state, const std::vector<Row>& rows) {
  std::int64_t ms = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(i);
    ms += 1000;
    CHECK(state.on_result(rows[i].passed, at(ms), at(ms)) == rows[i].change);
    CHECK(state.phase() == rows[i].phase);
  }
}

TEST_CASE("OnePassRegistersAtTheStart") {
  HealthState state({}, at(0));
  CHECK(state.phase() == kStarting);
  check_rows(state, {{true, kUp, kRegister}, {true, kUp, kNone}});
}

TEST_CASE("FailuresBeforeTheFirstPassDoNotBringRiseIn") {
  HealthState state({}, at(0));
  check_rows(state, {{false, kStarting, kNone},
                     {false, kStarting, kNone},
                     {false, kStarting, kNone},
                     {false, kStarting, kNone},
                     {true, kUp, kRegister}});
}

TEST_CASE("FallFailuresInARowMakeUnhealthyAndRisePassesMakeUp") {
  HealthState state({}, at(0));
  check_rows(state, {{true, kUp, kRegister},
                     {false, kUp, kNone},
                     {false, kUp, kNone},
                     {true, kUp, kNone},  // the row is broken
                     {false, kUp, kNone},
                     {false, kUp, kNone},
                     {false, kUnhealthy, kMarkUnhealthy},
                     {false, kUnhealthy, kNone},
                     {true, kUnhealthy, kNone},
                     {false, kUnhealthy, kNone},  // the row is broken
                     {true, kUnhealthy, kNone},
                     {true, kUp, kMarkUp},
                     {false, kUp, kNone},
                     {false, kUp, kNone},
                     {false, kUnhealthy, kMarkUnhealthy}});
  CHECK(state.since() == at(15000));
}

TEST_CASE("ChecksAreDueAnIntervalAfterTheyBegan") {
  HealthState state({}, at(100));
  CHECK(state.due() == at(100));
  state.on_result(true, at(100), at(350));
  CHECK(state.due() == at(2100));
  state.on_result(false, at(2100), at(4500));  // took longer than the interval
  CHECK(state.due() == at(4500));
}

TEST_CASE("NoCheckMeansUpForEver") {
  config::HealthCheck none;
  none.kind = config::HealthCheckKind::kNone;
  HealthState state(none, at(5));
  CHECK(state.phase() == kUp);
  CHECK(state.due() == kNever);
  CHECK(state.on_result(false, at(6), at(6)) == kNone);  // one that began before a reload
  CHECK(state.phase() == kUp);
}

TEST_CASE("ReloadKeepsThePhaseAndCountsAnew") {
  HealthState state({}, at(0));
  check_rows(state, {{true, kUp, kRegister}, {false, kUp, kNone}, {false, kUp, kNone}});
  config::HealthCheck stricter;
  stricter.fall = 2;
  CHECK(state.reconfigure(stricter, at(5000)) == kNone);
  CHECK(state.due() == at(5000));
  check_rows(state, {{false, kUp, kNone}, {false, kUnhealthy, kMarkUnhealthy}});

  config::HealthCheck none;
  none.kind = config::HealthCheckKind::kNone;
  CHECK(state.reconfigure(none, at(9000)) == kMarkUp);
  CHECK(state.phase() == kUp);
  CHECK(state.due() == kNever);
}

TEST_CASE("ReloadToNoCheckRegistersOneThatIsStarting") {
  HealthState state({}, at(0));
  config::HealthCheck none;
  none.kind = config::HealthCheckKind::kNone;
  CHECK(state.reconfigure(none, at(1)) == kRegister);
}

}  // namespace
}  // namespace ringside::balancer
