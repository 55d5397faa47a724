#include "sidecar/app/signals.h"

#include <uv.h>
#include <csignal>

#include <array>

#include "config/base/check.h"

namespace ringside::app {

struct Signals::Impl {
  Handlers handlers;
  std::array<uv_signal_t, 3> handles{};
  std::size_t open = 0;

  static void received(uv_signal_t* handle, int signal) {
    auto& self = *static_cast<Impl*>(handle->data);
    if (signal == SIGHUP) {
      self.handlers.on_reload();
    } else {
      self.handlers.on_stop(signal);
    }
  }
  static void closed(uv_handle_t* handle) {
    auto* self = static_cast<Impl*>(handle->data);
    if (--self->open == 0) {
      delete self;
    }
  }
};

Signals::Signals(net::Loop& loop, Handlers handlers) : impl_(new Impl{std::move(handlers)}) {
  constexpr std::array<int, 3> kNumbers{SIGTERM, SIGINT, SIGHUP};
  for (std::size_t i = 0; i < kNumbers.size(); ++i) {
    uv_signal_t& handle = impl_->handles.at(i);
    CHECK(uv_signal_init(loop.raw(), &handle) == 0);
    handle.data = impl_;
    ++impl_->open;
    CHECK(uv_signal_start(&handle, Impl::received, kNumbers.at(i)) == 0);
    uv_unref(reinterpret_cast<uv_handle_t*>(&handle));
  }
}

Signals::~Signals() {
  impl_->handlers = {};
  for (uv_signal_t& handle : impl_->handles) {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), Impl::closed);
  }
}

}  // namespace ringside::app
