#include "sidecar/app/drain.h"

#include <fmt/format.h>

#include <algorithm>

namespace ringside::app {

namespace {

constexpr std::size_t kNamed = 5;  // of those behind, in one line

double seconds_of(Duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

Drain::Drain(discovery::RegistryClient& client, discovery::Registrar* registrar, Ports ports)
    : registrar_(registrar), asking_(client), ports_(std::move(ports)) {}

void Drain::enter(State state, Instant now) {
  state_ = state;
  since_ = now;
}

void Drain::begin(Instant now) {
  if (on()) {
    return;
  }
  enter(State::kDraining, now);
  begun_ = told_at_ = now;
  acknowledged_ = false;
  if (registrar_ != nullptr) {
    registrar_->start_draining(now);
  }
}

void Drain::undo(Instant now) {
  if (!on()) {
    return;
  }
  enter(State::kServing, now);
  acknowledged_ = false;
  asking_.forget();
  detail_.clear();
  if (registrar_ != nullptr) {
    registrar_->stop_draining(now);
  }
  ports_.log("the drain is undone: this instance is in use again");
}

bool Drain::announced() const {
  return on() && (registrar_ == nullptr || registrar_->settled());
}

void Drain::tick(Instant now, const World& world) {
  if (state_ == State::kDraining && !acknowledged_) {
    await(now, world);
  }
  if (state_ == State::kDraining && acknowledged_ && world.in_flight == 0) {
    enter(State::kDrained, now);
  }
}

void Drain::await(Instant now, const World& world) {
  if (registrar_ == nullptr || (registrar_->settled() && !registrar_->ever_shown()) ||
      world.alone) {
    return acknowledge("");
  }
  if (const auto zxid = registrar_->draining_since()) {
    asking_.begin(now, *zxid);
    asking_.tick(now);
    if (asking_.complete()) {
      return acknowledge(
          fmt::format("every living sidecar routes around this instance, {:.2f} s after it began "
                      "to drain",
                      seconds_of(now - begun_)));
    }
  }
  const Instant heard = asking_.zxid() ? asking_.heard_at() : begun_;
  if (now - heard >= std::max(world.settle, kLeastSilence)) {
    return acknowledge(fmt::format(
        "the ring did not say who routes around this instance: {:.1f} s (drain.settle) had to do",
        seconds_of(now - heard)));
  }
  tell_behind(now);
}

void Drain::acknowledge(const std::string& how) {
  acknowledged_ = true;
  detail_ = how;
  if (!how.empty()) {
    ports_.log(how);
  }
}

void Drain::tell_behind(Instant now) {
  if (now - told_at_ < kTellEvery) {
    return;
  }
  told_at_ = now;
  detail_ = "the ring does not answer";
  if (const auto& behind = asking_.behind(); !behind.empty()) {
    detail_ = fmt::format("{} of the living sidecars may still send here:", behind.size());
    for (const auto& sidecar : behind) {
      if (&sidecar - behind.data() == kNamed) {
        detail_ += " and others";
        break;
      }
      detail_ += " " + ports_.name(sidecar);
    }
  }
  ports_.log(fmt::format("draining for {:.1f} s: {}", seconds_of(now - begun_), detail_));
}

}  // namespace ringside::app
