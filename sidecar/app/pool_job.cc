#include "sidecar/app/pool_job.h"

#include <uv.h>

#include <utility>

#include "config/base/check.h"

namespace ringside::app {

// Lives until the pool is through with it, also when the owner has gone.
struct PoolJob::Job {
  uv_work_t request{};
  std::function<void()> work;
  std::function<void()> then;
  PoolJob* owner = nullptr;
  std::shared_ptr<Job> self;
};

PoolJob::~PoolJob() {
  if (job_) {
    job_->owner = nullptr;
  }
}

void PoolJob::start(std::function<void()> work, std::function<void()> then) {
  CHECK(idle());
  job_ = std::make_shared<Job>();
  job_->work = std::move(work);
  job_->then = std::move(then);
  job_->owner = this;
  job_->self = job_;
  job_->request.data = job_.get();
  const int queued = uv_queue_work(
      loop_.raw(), &job_->request,
      [](uv_work_t* request) { static_cast<Job*>(request->data)->work(); },
      [](uv_work_t* request, int /*status: never cancelled*/) {
        const auto job = std::move(static_cast<Job*>(request->data)->self);
        if (job->owner != nullptr) {
          job->owner->loop_.begin_work();
          job->owner->ended();
        }
      });
  CHECK(queued == 0);
}

void PoolJob::ended() {
  const auto job = std::exchange(job_, nullptr);
  job->then();
  if (idle() && on_idle_) {
    std::exchange(on_idle_, nullptr)();
  }
}

void PoolJob::when_idle(std::function<void()> call) {
  if (idle()) {
    call();
  } else {
    on_idle_ = std::move(call);
  }
}

}  // namespace ringside::app
