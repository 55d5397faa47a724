#include "sidecar/proxy/context.h"

#include <fmt/format.h>

#include <utility>

namespace ringside::proxy {

namespace {

constexpr seconds kTellEvery{1};

http::Limits limits_of(const config::Settings& settings) {
  http::Limits limits;
  limits.head_bytes = settings.proxy.header_limit_bytes;
  limits.target_bytes = settings.proxy.header_limit_bytes;
  return limits;
}

}  // namespace

WorkerContext::WorkerContext(net::Loop& its_loop,
                             std::shared_ptr<const config::Settings> its_settings,
                             std::string own_instance, const Bounds& its_bounds, std::uint64_t seed,
                             metrics::WorkerMetrics& its_metrics, AccessQueue& its_access)
    : loop(its_loop),
      settings(std::move(its_settings)),
      instance(std::move(own_instance)),
      bounds(its_bounds),
      rng(seed),
      metrics(its_metrics),
      access(its_access),
      limits(limits_of(*settings)),
      // A full queue does no harm: what fills it is work, and a turn that works ends by a look.
      permits([this] { static_cast<void>(loop.post([this] { permits.collect(); })); }),
      pools(
          limits, permits, [this] { return loop.coarse_now(); }, bounds.idle),
      servings(*this),
      deadlines_(its_loop.coarse_now()),
      wheel_(its_loop, [this] { turn_wheel(); }) {}

void WorkerContext::arm(Deadlines::Entry& entry, Instant due) {
  deadlines_.arm(entry, due);
  if (due == kNever) {
    return;
  }
  // Rough on purpose: a wheel that turns once too often finds nothing due and goes back to sleep.
  if (due + Deadlines::kSlot < wheel_due_) {
    wheel_due_ = due + Deadlines::kSlot;
    wheel_.start(wheel_due_ - loop.coarse_now());
  }
}

void WorkerContext::tell(std::string message) {
  const Instant now = loop.coarse_now();
  if (!on_trouble || now < tell_from_) {
    ++untold_;
    return;
  }
  if (untold_ > 0) {
    message += fmt::format(" (and {} more)", std::exchange(untold_, 0));
  }
  tell_from_ = now + kTellEvery;
  on_trouble(Error{ErrorCode::kUnavailable, std::move(message)});
}

void WorkerContext::turn_wheel() {
  wheel_due_ = kNever;
  deadlines_.fire(loop.coarse_now());
  const Instant next = deadlines_.next();
  if (next < wheel_due_) {
    wheel_due_ = next;
    wheel_.start(next - loop.coarse_now());
  }
}

}  // namespace ringside::proxy
