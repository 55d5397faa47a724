#include "sidecar/app/view_store.h"

#include <fmt/format.h>
#include <uv.h>

#include <utility>
#include <vector>

#include "config/base/check.h"
#include "sidecar/discovery/service_view.h"
#include "sidecar/disk/data_dir.h"
#include "sidecar/disk/file_ops.h"

namespace ringside::app {

// Lives until the pool is through with it, also when the store has gone.
struct ViewStore::Job {
  uv_work_t work{};
  std::string path;
  Encode encode;
  Status result;
  ViewStore* owner = nullptr;
  std::shared_ptr<Job> self;
};

ViewStore::ViewStore(net::Loop& loop, std::string directory, std::function<Encode()> hold,
                     std::function<void(const std::string&)> log)
    : loop_(loop),
      path_(directory.empty() ? "" : fmt::format("{}/{}", directory, disk::kViewFile)),
      hold_(std::move(hold)),
      log_(std::move(log)),
      timer_(loop, [this] { write(); }) {}

ViewStore::~ViewStore() {
  if (job_) {
    job_->owner = nullptr;
  }
}

Result<Bytes> ViewStore::read() const {
  if (path_.empty()) {
    return fail(ErrorCode::kNotFound, "no data_dir");
  }
  return disk::read_file(path_, discovery::kMaxViewBytes);
}

void ViewStore::changed() {
  if (path_.empty() || due_) {
    return;
  }
  due_ = true;
  if (!job_) {
    timer_.start(kDelay);
  }
}

void ViewStore::write() {
  due_ = false;
  job_ = std::make_shared<Job>();
  job_->path = path_;
  job_->encode = hold_();
  job_->owner = this;
  job_->self = job_;
  job_->work.data = job_.get();
  const int queued = uv_queue_work(
      loop_.raw(), &job_->work,
      [](uv_work_t* work) {
        auto& job = *static_cast<Job*>(work->data);
        job.result = disk::replace_file(job.path, job.encode());
        job.encode = nullptr;  // what it held goes here, not in a turn of the loop
      },
      [](uv_work_t* work, int /*status: never cancelled*/) {
        const auto job = std::move(static_cast<Job*>(work->data)->self);
        if (job->owner != nullptr) {
          job->owner->written(job->result);
        }
      });
  CHECK(queued == 0);
}

void ViewStore::written(const Status& status) {
  job_.reset();
  if (!status) {
    log_("cannot keep the view on disk: " + status.error().message);
  }
  if (!on_flushed_.empty()) {
    if (due_) {
      return write();
    }
    for (const auto& done : std::exchange(on_flushed_, {})) {
      done();
    }
  } else if (due_) {
    timer_.start(kDelay);
  }
}

void ViewStore::flush(std::function<void()> done) {
  if (due_ && !job_) {
    timer_.stop();
    write();
  }
  if (job_) {
    on_flushed_.push_back(std::move(done));
  } else {
    done();
  }
}

}  // namespace ringside::app
