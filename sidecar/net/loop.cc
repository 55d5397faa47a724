// Good path: post() puts a task under the mutex and wakes the loop through one uv_async; run_posted
// takes all that wait in one go. Failure paths: the queue is full (the caller is told); libuv can't
// make a loop (out of descriptors: CHECK, since nothing works without loops).
#include "sidecar/net/loop.h"

#include <uv.h>

#include <csignal>
#include <utility>

#include "config/base/check.h"
#include "sidecar/net/splice_pipe.h"
#include "sidecar/net/turn_end_task.h"

namespace ringside::net {

struct Loop::Handles {
  uv_loop_t loop{};
  uv_async_t async{};
  uv_prepare_t prepare{};
};

namespace {

// A peer that is gone shows as an error of the write, never as a signal.
void ignore_broken_pipes() {
  static std::once_flag once;
  std::call_once(once, [] { std::signal(SIGPIPE, SIG_IGN); });
}

}  // namespace

Loop::Loop() : handles_(std::make_unique<Handles>()), pipes_(std::make_unique<SplicePipes>()) {
  ignore_broken_pipes();
  // Not value-initialized: nothing reads what the kernel has not written.
  read_buffer_.reset(new char[kReadBytes]);
  CHECK(uv_loop_init(&handles_->loop) == 0);
  handles_->loop.data = this;
  CHECK(uv_async_init(&handles_->loop, &handles_->async, [](uv_async_t* async) {
          auto* self = static_cast<Loop*>(async->loop->data);
          self->begin_work();
          self->run_posted();
        }) == 0);
  CHECK(uv_prepare_init(&handles_->loop, &handles_->prepare) == 0);
  CHECK(uv_prepare_start(&handles_->prepare, [](uv_prepare_t* prepare) {
          static_cast<Loop*>(prepare->loop->data)->end_turn();
        }) == 0);
}

Loop::~Loop() {
  observer_ = nullptr;
  // Tasks may own streams; they go while the loop can still run their close callbacks.
  {
    const std::lock_guard lock(mutex_);
    running_.swap(posted_);
  }
  running_.clear();
  CHECK(turn_end_.empty());
  uv_close(reinterpret_cast<uv_handle_t*>(&handles_->async), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&handles_->prepare), nullptr);
  // A handle that still lives here would have an owner that outlives its loop.
  uv_walk(
      &handles_->loop, [](uv_handle_t* handle, void*) { CHECK(uv_is_closing(handle) != 0); },
      nullptr);
  // Close callbacks run in the next turn; work already on libuv's pool must come back first.
  uv_run(&handles_->loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&handles_->loop) == 0);
}

void Loop::run() {
  while (!stop_asked_.load(std::memory_order_acquire)) {
    uv_run(&handles_->loop, UV_RUN_DEFAULT);
  }
  stop_asked_.store(false, std::memory_order_release);
  end_turn();
}

void Loop::turn(bool wait) {
  uv_run(&handles_->loop, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
  end_turn();
}

void Loop::stop() {
  stop_asked_.store(true, std::memory_order_release);
  uv_async_send(&handles_->async);
}

Status Loop::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (posted_.size() >= kMaxPosted) {
      return fail(ErrorCode::kTooLarge, "the loop's task queue is full");
    }
    posted_.push_back(std::move(task));
  }
  uv_async_send(&handles_->async);
  return {};
}

void Loop::run_posted() {
  {
    const std::lock_guard lock(mutex_);
    running_.swap(posted_);
  }
  for (auto& task : running_) {
    task();
  }
  running_.clear();
  if (stop_asked_.load(std::memory_order_acquire)) {
    uv_stop(&handles_->loop);
  }
}

Instant Loop::now() const {
  return Instant{nanoseconds{static_cast<std::int64_t>(uv_hrtime())}};
}

Instant Loop::coarse_now() const {
  return Instant{milliseconds{static_cast<std::int64_t>(uv_now(&handles_->loop))}};
}

void Loop::observe_turns(std::function<void(Duration)> observer) {
  observer_ = std::move(observer);
  work_began_ns_ = 0;
}

void Loop::begin_work() {
  if (work_began_ns_ == 0 && observer_) {
    work_began_ns_ = uv_hrtime();
  }
}

void Loop::end_turn() {
  for (const TurnEndTask* task : turn_end_) {
    task->task_();
  }
  if (work_began_ns_ == 0) {
    return;
  }
  const auto spent = static_cast<std::int64_t>(uv_hrtime() - work_began_ns_);
  work_began_ns_ = 0;
  if (observer_) {
    observer_(nanoseconds{spent});
  }
}

uv_loop_s* Loop::raw() {
  return &handles_->loop;
}

}  // namespace ringside::net
