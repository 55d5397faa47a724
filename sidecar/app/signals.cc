#include "sidecar/app/signals.h"

#include <uv.h>
#include <csignal>

#include <algorithm>
#include <array>
#include <deque>
#include <span>

#include "config/base/check.h"

namespace ringside::app {

namespace {

constexpr std::array kOfASidecar{SIGTERM, SIGINT, SIGHUP};
constexpr std::array kWithAnApp{SIGTERM, SIGINT,  SIGHUP,   SIGQUIT,
                                SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD};
constexpr std::array kMayBeIgnored{SIGINT, SIGHUP, SIGQUIT};

bool ignored(int signal) {
  struct sigaction now{};
  return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

struct Signals::Impl {
  Handlers handlers;
  std::deque<uv_signal_t> handles;
  std::size_t open = 0;

  void start(net::Loop& loop, int signal) {
    uv_signal_t& handle = handles.emplace_back();
    CHECK(uv_signal_init(loop.raw(), &handle) == 0);
    handle.data = this;
    ++open;
    CHECK(uv_signal_start(&handle, received, signal) == 0);
    uv_unref(reinterpret_cast<uv_handle_t*>(&handle));
  }
  static void received(uv_signal_t* handle, int signal) {
    const Handlers& handlers = static_cast<Impl*>(handle->data)->handlers;
    if (signal == SIGTERM || signal == SIGINT) {
      handlers.on_stop(signal);
    } else if (signal == SIGCHLD) {
      handlers.on_child();
    } else if (handlers.on_other) {
      handlers.on_other(signal);
    } else {
      handlers.on_reload();
    }
  }
  static void closed(uv_handle_t* handle) {
    auto* self = static_cast<Impl*>(handle->data);
    if (--self->open == 0) {
      delete self;
    }
  }
};

Signals::Signals(net::Loop& loop, Handlers handlers) : impl_(new Impl{std::move(handlers), {}, 0}) {
  const bool app = static_cast<bool>(impl_->handlers.on_other);
  const std::span<const int> numbers = app ? std::span<const int>(kWithAnApp) : kOfASidecar;
  for (const int signal : numbers) {
    const bool may_stay = app && std::ranges::find(kMayBeIgnored, signal) != kMayBeIgnored.end();
    if (!(may_stay && ignored(signal))) {
      impl_->start(loop, signal);
    }
  }
}

Signals::~Signals() {
  impl_->handlers = {};
  for (uv_signal_t& handle : impl_->handles) {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), Impl::closed);
  }
}

}  // namespace ringside::app
