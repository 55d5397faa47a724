// `exec`: the app is a child of ours. It starts when the sidecar is ready, its health is looked at
// from then on, and its end is the sidecar's.
#include <fmt/format.h>

#include <cstdio>

#include "sidecar/app/app_parts.h"

namespace ringside::app {

namespace {

// Of shells: the program was not found, or could not be run.
constexpr int kNoSuchProgram = 127;
constexpr int kNotRunnable = 126;
constexpr seconds kTellWaiting{10};

}  // namespace

void App::Parts::tend_child(Instant now) {
  if (!child || child_started || shutdown.step() != Shutdown::Step::kServing) {
    return;
  }
  const auto shown = published.get();
  if (shown->ready) {
    start_child(now);
  } else if (now - std::max(child_waits_told, started) >= kTellWaiting) {
    child_waits_told = now;
    log.warn("the app is not started yet: " + shown->not_ready);
  }
}

void App::Parts::start_child(Instant now) {
  child_started = true;
  const Status running = child->start();
  if (!running) {
    exit_status = running.error().code == ErrorCode::kNotFound ? kNoSuchProgram : kNotRunnable;
    log.error(running.error().message);
    std::fprintf(stderr, "ringside: %s\n", running.error().message.c_str());
    return shutdown.app_ended(now, settings->drain);
  }
  log.info("ready, and the app is started", {{"program", std::string_view(child->program())},
                                             {"pid", static_cast<std::int64_t>(child->pid())}});
  if (settings->service) {
    start_checking();
  }
}

void App::Parts::child_signalled() {
  if (!child->reap()) {
    return;
  }
  const Instant now = loop.now();
  exit_status = child->status();
  const bool asked = stop_signal != 0;
  log.write(asked ? logging::Level::kInfo : logging::Level::kWarn, "the app has ended",
            {{"status", static_cast<std::int64_t>(exit_status)}});
  checker.reset();
  shutdown.app_ended(now, settings->drain);
  proxy->set_draining(true);
  advance_shutdown(now);
  tick_now();
}

}  // namespace ringside::app
