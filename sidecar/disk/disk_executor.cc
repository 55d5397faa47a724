#include "sidecar/disk/disk_executor.h"

#include <uv.h>

#include <deque>
#include <utility>

#include "config/base/check.h"
#include "sidecar/disk/file_ops.h"

namespace ringside::disk {

struct DiskExecutor::State {
  State(uv_loop_t* the_loop, std::string directory, Done done)
      : loop(the_loop), files(std::move(directory)), on_done(std::move(done)) {
    work.data = this;
  }

  void start_next();
  // Calls on_idle once, if that is due; the executor may be gone afterwards.
  void tell_if_idle();
  static void run_on_pool(uv_work_t* work);
  static void back_on_loop(uv_work_t* work, int status);

  uv_loop_t* loop;
  FileSet files;  // touched by the pool's thread while `running`, by nobody else then
  Done on_done;
  std::deque<coord::DiskBatch>
      queue;  // bounded by what coord leaves outstanding (one append at a time)
  coord::DiskBatch current;
  Status result;
  uv_work_t work{};
  bool running = false;
  bool failed = false;
  bool stopping = false;
  std::function<void()> on_idle;
};

DiskExecutor::DiskExecutor(uv_loop_t* loop, std::string directory, Done on_done)
    : state_(std::make_unique<State>(loop, std::move(directory), std::move(on_done))) {}

DiskExecutor::~DiskExecutor() {
  CHECK(!state_->running);
}

void DiskExecutor::submit(coord::DiskBatch batch) {
  if (state_->failed || state_->stopping) {
    return;
  }
  state_->queue.push_back(std::move(batch));
  state_->start_next();
}

bool DiskExecutor::idle() const {
  return !state_->running && state_->queue.empty();
}

void DiskExecutor::shut_down(std::function<void()> on_idle) {
  state_->stopping = true;
  state_->on_idle = std::move(on_idle);
  state_->tell_if_idle();
}

void DiskExecutor::State::tell_if_idle() {
  if (on_idle && !running && queue.empty()) {
    const auto call = std::exchange(on_idle, nullptr);
    call();
  }
}

void DiskExecutor::State::start_next() {
  if (running || queue.empty()) {
    return;
  }
  current = std::move(queue.front());
  queue.pop_front();
  running = true;
  CHECK(uv_queue_work(loop, &work, run_on_pool, back_on_loop) == 0);
}

void DiskExecutor::State::run_on_pool(uv_work_t* work) {
  auto& state = *static_cast<State*>(work->data);
  state.result = Status{};
  for (const auto& op : state.current.ops) {
    state.result = state.files.run(op);
    if (!state.result) {
      return;
    }
  }
}

void DiskExecutor::State::back_on_loop(uv_work_t* work, int /*status: never cancelled*/) {
  auto& state = *static_cast<State*>(work->data);
  state.running = false;
  const coord::DiskBatchId id = state.current.id;
  state.current = {};
  if (!state.result) {
    state.failed = true;
    state.queue.clear();
  }
  if (!state.stopping) {
    const Status result = state.result;
    state.on_done(id, result);
  }
  state.start_next();
  state.tell_if_idle();
}

}  // namespace ringside::disk
