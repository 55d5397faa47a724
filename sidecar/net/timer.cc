#include "sidecar/net/timer.h"

#include <uv.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "config/base/check.h"

namespace ringside::net {

struct Timer::Impl {
  uv_timer_t handle{};
  Loop* loop;
  // Shared, so that a callback that destroys its timer does not destroy itself while it runs.
  std::shared_ptr<std::function<void()>> on_fire;

  static void fire(uv_timer_t* timer) {
    auto* impl = static_cast<Impl*>(timer->data);
    Loop& loop = *impl->loop;  // outlives the timer
    loop.begin_work();
    const auto keep = impl->on_fire;
    loop.in_timers_ = true;
    (*keep)();
    loop.in_timers_ = false;
  }
};

namespace {

std::uint64_t to_ms(Duration duration) {
  const auto ms = std::chrono::ceil<milliseconds>(duration).count();
  return ms > 0 ? static_cast<std::uint64_t>(ms) : 0;
}

}  // namespace

Timer::Timer(Loop& loop, std::function<void()> on_fire) : impl_(new Impl) {
  impl_->loop = &loop;
  impl_->on_fire = std::make_shared<std::function<void()>>(std::move(on_fire));
  impl_->handle.data = impl_;
  CHECK(uv_timer_init(loop.raw(), &impl_->handle) == 0);
}

Timer::~Timer() {
  uv_close(reinterpret_cast<uv_handle_t*>(&impl_->handle),
           [](uv_handle_t* handle) { delete static_cast<Impl*>(handle->data); });
}

void Timer::start(Duration delay) {
  // libuv counts from the loop's cached time, which a long turn leaves behind.
  uv_update_time(impl_->loop->raw());
  // libuv 1.44 calls what is due before it looks at anything else, also what became due just now.
  const std::uint64_t least = impl_->loop->in_timers_ ? 1 : 0;
  CHECK(uv_timer_start(&impl_->handle, Impl::fire, std::max(to_ms(delay), least), 0) == 0);
}

void Timer::start_repeating(Duration period) {
  const std::uint64_t ms = to_ms(period) > 0 ? to_ms(period) : 1;
  uv_update_time(impl_->loop->raw());
  CHECK(uv_timer_start(&impl_->handle, Impl::fire, ms, ms) == 0);
}

void Timer::stop() {
  uv_timer_stop(&impl_->handle);
}

bool Timer::active() const {
  return uv_is_active(reinterpret_cast<const uv_handle_t*>(&impl_->handle)) != 0;
}

}  // namespace ringside::net
