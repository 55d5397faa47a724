// The way down: Shutdown says which step it is, this carries it out.
#include <algorithm>

#include "sidecar/app/app_parts.h"

namespace ringside::app {

void App::Parts::advance_shutdown(Instant now) {
  if (shutdown.step() == Shutdown::Step::kServing || finishing) {
    return;
  }
  if (registrar) {
    registrar->start_draining(now);  // first, so that "settled" means the draining entry
  }
  const auto status = ring.status();
  const Shutdown::Step before = shutdown.step();
  Shutdown::World world;
  world.entry_settled = !registrar || registrar->settled();
  world.left = keeper->closed();
  const auto other = [&](const coord::MemberStatus& member) {
    return member.connected && member.id != status.self;
  };
  world.leading = status.role == coord::Role::kLeading &&
                  std::any_of(status.members.begin(), status.members.end(),
                              [&](const auto& member) { return other(member) && member.voter; });
  // Without an entry nobody sends anything here.
  world.alone = !registrar || std::none_of(status.members.begin(), status.members.end(), other);
  world.idle = proxy_stopped;
  const Shutdown::Step step = shutdown.advance(now, world);
  if (step >= Shutdown::Step::kLeaving) {
    leave(now);
  }
  if (step == before) {
    return;
  }
  log.info("stopping", {{"step", std::string_view(to_string(step))}});
  if (step >= Shutdown::Step::kHandingOver && before < Shutdown::Step::kHandingOver) {
    ring.hand_over();
  }
  if (step >= Shutdown::Step::kFinishing && before < Shutdown::Step::kFinishing) {
    stop_proxy();
  }
  if (step == Shutdown::Step::kDone) {
    finish();
  }
}

// The entry first, so that it goes even where the session cannot be closed; then the session with
// every ephemeral under it.
void App::Parts::leave(Instant now) {
  if (registrar && registrar->state() != discovery::RegistrarState::kLeft) {
    registrar->leave(now);
  }
  if (!registrar || registrar->state() == discovery::RegistrarState::kLeft) {
    keeper->close(now);
  }
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

void App::Parts::finish() {
  finishing = true;
  ticker.stop();
  view_store->flush([this] { ring.stop([this] { loop.stop(); }); });
}

void App::Parts::close_ring() {
  ticker.stop();
  signals.reset();
  bool idle = false;
  ring.stop([&idle] { idle = true; });
  while (!idle) {
    loop.turn(true);
  }
}

}  // namespace ringside::app
