// The control loop's turns: what the ring says, and the tick that compares what is with what should
// be. A tick comes every 50 ms while something is in motion; else with the ring's next word, so
// that an idle sidecar wakes up for heartbeats only (Pace).
#include <algorithm>

#include "sidecar/app/app_parts.h"
#include "sidecar/app/snapshot_maker.h"

namespace ringside::app {

namespace {

constexpr milliseconds kFileLook{1000};
constexpr std::size_t kJoinedBytes = 4096;

}  // namespace

void App::Parts::ring_changed(std::span<const coord::Change> changes) {
  feed.note(changes);
  refresh_table();
  if (registrar) {
    registrar->registry_changed(loop.now());
  }
  tick_soon();
}

void App::Parts::ring_reloaded() {
  feed.note_all();
  refresh_table();
  if (registrar) {
    registrar->registry_changed(loop.now());
  }
  tick_soon();
}

void App::Parts::ring_moved() {
  if (listening) {
    keeper->moved_on(loop.now());
    znodes->moved(loop.now());
    ring.set_routed(routed());
    pace.along(loop.now());
    arm_tick();
  }
}

void App::Parts::refresh_table() {
  feed.belongs_to(ring.birth());
  if (view_store && feed.refresh(ring.registry(), ring.ring_has_spoken(), *settings)) {
    view_store->changed();
  }
}

void App::Parts::tick() {
  const Instant now = loop.now();
  tick_armed = kNever;
  refresh_table();
  keeper->tick(now);
  znodes->tick(now);
  if (registrar) {
    registrar->tick(now);
  }
  for (const std::uint32_t us : ring.take_commit_durations_us()) {
    commit_duration.record(microseconds{us});
  }
  ring.set_routed(routed());
  drain_transitions();
  drain_access();
  if (now - file_looked >= kFileLook) {
    file_looked = now;
    if (source.changed()) {
      reload("the file changed");
    }
  }
  if (draining->on()) {
    draining->tick(now, {settings->drain.settle, proxy->inbound_in_flight(), alone()});
  }
  publish();
  tend_child(now);
  advance_shutdown(now);
  pace.ticked(now, in_motion());
  arm_tick();
}

bool App::Parts::in_motion() const {
  const bool own_way = shutdown.step() != Shutdown::Step::kServing || draining->on() ||
                       (child && !child_started) || znodes->pending() > 0;
  const bool registers =
      registrar &&
      (!registrar->settled() || registrar->state() != discovery::RegistrarState::kRegistered);
  return own_way || registers || settings->log.access || !ring.in_touch() || !keeper->at_rest() ||
         keeper->touch_interval() < Pace::kCalm;
}

void App::Parts::tick_soon() {
  pace.soon();
  arm_tick();
}

void App::Parts::tick_now() {
  pace.at_once(loop.now());
  arm_tick();
}

void App::Parts::arm_tick() {
  if (!ticking) {
    return;
  }
  if (pace.due() != tick_armed) {
    tick_armed = pace.due();
    ticker.start(std::max(tick_armed - loop.now(), Duration::zero()));
  }
}

void App::Parts::stop_ticking() {
  ticking = false;
  ticker.stop();
}

// Several lines to an entry of the log's queue.
void App::Parts::drain_access() {
  proxy->access().take(access_records);
  std::string lines;
  for (const auto& record : access_records) {
    const std::string line = proxy::format_access(record, settings->log.format);
    if (!lines.empty() && lines.size() + line.size() >= kJoinedBytes) {
      log.write_line(lines);
      lines.clear();
    }
    lines += lines.empty() ? "" : "\n";
    lines += line;
  }
  if (!lines.empty()) {
    log.write_line(lines);
  }
}

void App::Parts::drain_transitions() {
  if (!feed.table()) {
    return;
  }
  while (const auto record = feed.table()->transitions()->pop()) {
    const balancer::HostIdentity& identity = *record->host;
    log.info("circuit breaker changed",
             {{"upstream", std::string_view(identity.service)},
              {"endpoint", std::string_view(identity.instance)},
              {"to", std::string_view(balancer::to_string(record->transition.to))},
              {"reason", std::string_view(balancer::to_string(record->transition.reason))}});
  }
}

void App::Parts::publish() {
  published.set(
      make_snapshot({*settings, ring, feed, registrar.get(), checker.get(), listening, drain_view(),
                     config_problem.empty() ? closed_ports : config_problem, started, loop.now()}));
}

}  // namespace ringside::app
