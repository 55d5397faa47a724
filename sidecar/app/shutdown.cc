#include "sidecar/app/shutdown.h"

namespace ringside::app {

const char* to_string(Shutdown::Step step) {
  switch (step) {
    case Shutdown::Step::kServing: return "serving";
    case Shutdown::Step::kHandingOver: return "handing_over";
    case Shutdown::Step::kAnnouncing: return "announcing";
    case Shutdown::Step::kAcknowledging: return "acknowledging";
    case Shutdown::Step::kLeaving: return "leaving";
    case Shutdown::Step::kEmptying: return "emptying";
    case Shutdown::Step::kAppEnding: return "app_ending";
    case Shutdown::Step::kFinishing: return "finishing";
    case Shutdown::Step::kClosing: return "closing";
    case Shutdown::Step::kParting: return "parting";
    case Shutdown::Step::kDone: return "done";
  }
  return "unknown";
}

bool Shutdown::begin(Instant now, const config::Drain& settings) {
  if (step_ != Step::kServing) {
    return false;
  }
  deadline_ = now + settings.timeout;
  enter(Step::kHandingOver, now);
  return true;
}

void Shutdown::app_ended(Instant now, const config::Drain& settings) {
  begin(now, settings);
  if (step_ < Step::kLeaving) {
    enter(Step::kLeaving, now);
  }
}

void Shutdown::enter(Step step, Instant now) {
  step_ = step;
  entered_ = now;
}

bool Shutdown::over(Instant now, const World& world) const {
  const bool out_of_time = now >= deadline_;
  const bool ring_late = now - entered_ >= kRingAnswer;
  const bool farewell_late = now - entered_ >= kFarewell;
  switch (step_) {
    case Step::kServing: return false;
    case Step::kHandingOver: return !world.leading || world.again || ring_late || out_of_time;
    case Step::kAnnouncing: return world.announced || ring_late || out_of_time;
    case Step::kAcknowledging: return world.acknowledged || out_of_time;
    case Step::kLeaving: return world.left || ring_late || out_of_time;
    case Step::kEmptying: return world.emptied || out_of_time;
    case Step::kAppEnding: return !world.app_running;
    case Step::kFinishing: return world.idle || out_of_time;
    case Step::kClosing: return world.closed || farewell_late;
    case Step::kParting: return !world.leading || farewell_late;
    case Step::kDone: return false;
  }
  return false;
}

Shutdown::Step Shutdown::advance(Instant now, const World& world) {
  while (over(now, world)) {
    enter(static_cast<Step>(static_cast<int>(step_) + 1), now);
  }
  return step_;
}

}  // namespace ringside::app
