#include "sidecar/app/shutdown.h"

namespace ringside::app {

const char* to_string(Shutdown::Step step) {
  switch (step) {
    case Shutdown::Step::kServing: return "serving";
    case Shutdown::Step::kAnnouncing: return "announcing";
    case Shutdown::Step::kSettling: return "settling";
    case Shutdown::Step::kLeaving: return "leaving";
    case Shutdown::Step::kHandingOver: return "handing_over";
    case Shutdown::Step::kFinishing: return "finishing";
    case Shutdown::Step::kDone: return "done";
  }
  return "unknown";
}

bool Shutdown::begin(Instant now) {
  if (step_ != Step::kServing) {
    return false;
  }
  deadline_ = now + settings_.timeout;
  enter(Step::kAnnouncing, now);
  return true;
}

void Shutdown::enter(Step step, Instant now) {
  step_ = step;
  entered_ = now;
}

Shutdown::Step Shutdown::advance(Instant now, const World& world) {
  if (step_ == Step::kServing || step_ == Step::kDone) {
    return step_;
  }
  if (now >= deadline_) {
    enter(Step::kDone, now);
    return step_;
  }
  const bool answer_late = now - entered_ >= kRingAnswer;
  if (step_ == Step::kAnnouncing && (world.entry_settled || answer_late)) {
    enter(Step::kSettling, now);
  }
  if (step_ == Step::kSettling && (world.alone || now - entered_ >= settings_.settle)) {
    enter(Step::kLeaving, now);
  }
  if (step_ == Step::kLeaving && (world.left || now - entered_ >= kRingAnswer)) {
    enter(Step::kHandingOver, now);
  }
  if (step_ == Step::kHandingOver && (!world.leading || now - entered_ >= kRingAnswer)) {
    enter(Step::kFinishing, now);
  }
  if (step_ == Step::kFinishing && world.idle) {
    enter(Step::kDone, now);
  }
  return step_;
}

}  // namespace ringside::app
