#include "sidecar/disk/disk_executor.h"

#include <uv.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>
#include <variant>

#include "config/base/check.h"
#include "sidecar/disk/file_ops.h"

namespace ringside::disk {

struct DiskExecutor::State {
  // One batch at a time. The pool's thread touches `files` and `result` while `running`, nobody
  // else then; the lanes share nothing.
  struct Lane {
    Lane(State& owner, std::string directory) : state(owner), files(std::move(directory)) {
      work.data = this;
    }
    [[nodiscard]] bool idle() const { return !running && queue.empty(); }
    void start_next();

    State& state;
    FileSet files;
    std::deque<coord::DiskBatch> queue;  // bounded by what coord leaves outstanding
    coord::DiskBatch current;
    Status result;
    uv_work_t work{};
    bool running = false;
    std::uint64_t begun = 0;
  };

  State(uv_loop_t* the_loop, const std::string& directory, Done done)
      : loop(the_loop), log(*this, directory), side(*this, directory), on_done(std::move(done)) {}

  [[nodiscard]] bool idle() const { return log.idle() && side.idle(); }
  // Calls on_idle once, if that is due; the executor may be gone afterwards.
  void tell_if_idle();
  static void run_on_pool(uv_work_t* work);
  static void back_on_loop(uv_work_t* work, int status);

  uv_loop_t* loop;
  Lane log;
  Lane side;
  Done on_done;
  bool failed = false;
  bool stopping = false;
  std::function<void()> on_idle;
};

DiskExecutor::DiskExecutor(uv_loop_t* loop, const std::string& directory, Done on_done)
    : state_(std::make_unique<State>(loop, directory, std::move(on_done))) {}

DiskExecutor::~DiskExecutor() {
  CHECK(!state_->log.running && !state_->side.running);
}

void DiskExecutor::submit(coord::DiskBatch batch) {
  if (state_->failed || state_->stopping) {
    return;
  }
  State::Lane& lane = batch.lane == coord::DiskLane::kLog ? state_->log : state_->side;
  lane.queue.push_back(std::move(batch));
  lane.start_next();
}

bool DiskExecutor::idle() const {
  return state_->idle();
}

std::optional<std::uint64_t> DiskExecutor::log_at_rest() const {
  return state_->log.idle() ? std::optional(state_->log.begun) : std::nullopt;
}

void DiskExecutor::shut_down(std::function<void()> on_idle) {
  state_->stopping = true;
  state_->on_idle = std::move(on_idle);
  state_->tell_if_idle();
}

void DiskExecutor::State::tell_if_idle() {
  if (on_idle && idle()) {
    const auto call = std::exchange(on_idle, nullptr);
    call();
  }
}

void DiskExecutor::State::Lane::start_next() {
  if (running || queue.empty()) {
    return;
  }
  current = std::move(queue.front());
  queue.pop_front();
  running = true;
  ++begun;
  CHECK(uv_queue_work(state.loop, &work, run_on_pool, back_on_loop) == 0);
}

void DiskExecutor::State::run_on_pool(uv_work_t* work) {
  auto& lane = *static_cast<Lane*>(work->data);
  lane.result = Status{};
  for (const auto& op : lane.current.ops) {
    lane.result = lane.files.run(op);
    if (!lane.result) {
      break;
    }
  }
  // The log's lane may rename next what the side lane has open; the side lane removes what a new
  // manifest lets go of, and an open descriptor would keep its blocks.
  const bool renames = std::ranges::any_of(lane.current.ops, [](const coord::DiskOp& op) {
    return std::holds_alternative<coord::RenameFile>(op);
  });
  if (renames || lane.current.lane == coord::DiskLane::kSide) {
    lane.files.close_all();
  }
}

void DiskExecutor::State::back_on_loop(uv_work_t* work, int /*status: never cancelled*/) {
  auto& lane = *static_cast<Lane*>(work->data);
  auto& state = lane.state;
  lane.running = false;
  const coord::DiskBatch done = std::exchange(lane.current, {});
  const Status result = lane.result;
  const bool too_late = state.failed;  // of one lane, after the other's failure ended the port
  if (!result && coord::ends_port(done.lane, coord::syncs_names(done.ops), result.error())) {
    state.failed = true;
    state.log.queue.clear();
    state.side.queue.clear();
  }
  if (!state.stopping && !too_late) {
    state.on_done(done.id, result);
  }
  lane.start_next();
  state.tell_if_idle();
}

}  // namespace ringside::disk
