// The way down: Shutdown says which step it is, this carries it out.
#include <algorithm>

#include "sidecar/app/app_parts.h"

namespace ringside::app {

// TERM or INT. With a running app the second one, and each after it, is the app's at once.
void App::Parts::stop_asked(int signal) {
  tick_now();
  if (shutdown.begin(loop.now(), settings->drain)) {
    stop_signal = signal;
    proxy->set_draining(true);
    log.info(child && child->running()
                 ? "stopping: draining first; a second signal goes to the app at once"
                 : "stopping: draining first; a second signal ends at once");
  } else if (child && child->running()) {
    log.info("passed on to the app", {{"signal", static_cast<std::int64_t>(signal)}});
    child->send(signal);
  } else {
    log.warn("stopping at once");
    loop.stop();
  }
}

Shutdown::World App::Parts::world() const {
  const auto status = ring.status();
  Shutdown::World world;
  world.leading =
      status.role == coord::Role::kLeading &&
      std::any_of(status.members.begin(), status.members.end(), [&](const auto& member) {
        return member.connected && member.voter && member.id != status.self;
      });
  world.again = world.leading && handed_over_in && status.epoch != *handed_over_in;
  world.announced = draining->announced() || draining->acknowledged();
  world.acknowledged = draining->on() && draining->acknowledged();
  world.left = !registrar || registrar->state() == discovery::RegistrarState::kLeft;
  world.emptied = inbound_emptied;
  world.app_running = child && child->running();
  world.idle = proxy_stopped;
  world.closed = keeper->closed();
  return world;
}

void App::Parts::advance_shutdown(Instant now) {
  if (shutdown.step() == Shutdown::Step::kServing || finishing) {
    return;
  }
  const Shutdown::Step before = stop_step;
  stop_step = shutdown.advance(now, world());
  if (stop_step != before) {
    log.info("stopping", {{"step", std::string_view(to_string(stop_step))}});
    carry_out(before, stop_step, now);
  }
  // What is to be asked for until it is so.
  if (stop_step >= Shutdown::Step::kLeaving && registrar) {
    registrar->leave(now);
  }
  if (stop_step >= Shutdown::Step::kClosing) {
    keeper->close(now);
  }
}

// What is to be done once, for each step that was reached or passed over.
void App::Parts::carry_out(Shutdown::Step before, Shutdown::Step step, Instant now) {
  using Step = Shutdown::Step;
  const auto reached = [&](Step wanted) { return before < wanted && step >= wanted; };
  if (reached(Step::kHandingOver) || reached(Step::kParting)) {
    handed_over_in = ring.status().epoch;
    ring.hand_over();
  }
  if (reached(Step::kAnnouncing) && !(child_started && !child->running())) {
    draining->begin(now);
  }
  if (reached(Step::kEmptying)) {
    empty_inbound();
  }
  if (reached(Step::kAppEnding) && child && child->running()) {
    log.info("drained: passed on to the app", {{"signal", static_cast<std::int64_t>(stop_signal)}});
    child->send(stop_signal);
  }
  if (reached(Step::kFinishing)) {
    stop_proxy();
  }
  if (step == Step::kDone) {
    finish();
  }
}

void App::Parts::empty_inbound() {
  const bool then_refuse = child != nullptr;
  proxy->empty_inbound(then_refuse, [this] {
    // From a worker's thread, as below.
    if (!loop.post([this] { inbound_emptied = true; })) {
      log.warn("the control loop is too busy to hear that nothing inbound is under way");
    }
  });
}

void App::Parts::stop_proxy() {
  proxy->stop([this] {
    // From a worker's thread. A queue that is full loses the word; drain.timeout ends the wait
    // then.
    if (!loop.post([this] { proxy_stopped = true; })) {
      log.warn("the control loop is too busy to hear that the proxy has stopped");
    }
  });
}

void App::Parts::end_proxy() {
  proxy->cut();
  drain_access();
}

void App::Parts::finish() {
  finishing = true;
  stop_ticking();
  view_store->flush([this] { ring.stop([this] { loop.stop(); }); });
}

void App::Parts::close_ring() {
  stop_ticking();
  signals.reset();
  bool idle = false;
  ring.stop([&idle] { idle = true; });
  while (!idle) {
    loop.turn(true);
  }
}

}  // namespace ringside::app
