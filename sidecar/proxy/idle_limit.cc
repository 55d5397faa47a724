#include "sidecar/proxy/idle_limit.h"

#include <algorithm>

namespace ringside::proxy {

namespace {

// Closes come late by as much as the server's timer is rough and the network is slow.
constexpr Duration safe_part(Duration time) {
  return time - time / 5;
}

}  // namespace

void IdleLimit::closed_after(Duration idle) {
  learned_ = std::clamp(safe_part(idle), kLeast, learned_);
}

void IdleLimit::survived(Duration idle) {
  const Duration proven = std::min(safe_part(idle), kMost);
  if (proven > learned_) {
    learned_ = std::min(proven, learned_ + learned_ / 16);
  }
}

Duration IdleLimit::to_repeat(std::optional<seconds> timeout) const {
  return timeout ? std::min(learned_, safe_part(*timeout)) : learned_;
}

Duration IdleLimit::once(std::optional<seconds> timeout) const {
  if (!timeout) {
    return std::min(learned_, kOnceUnannounced);
  }
  const Duration margin = std::max<Duration>(Duration(*timeout) / 5, seconds{1});
  return std::clamp<Duration>(*timeout - margin, Duration::zero(), learned_);
}

}  // namespace ringside::proxy
