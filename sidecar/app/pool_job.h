// One piece of blocking work on libuv's pool at a time, and what follows it on the loop.
//
// Loop thread only, but for `work`, which runs on the pool and must not touch what the loop owns.
// The owner of the loop must see to it that idle() before the loop is destroyed: pool work cannot
// be called back. Destroyed while busy, `then` is not called any more.
#pragma once

#include <functional>
#include <memory>

#include "sidecar/net/loop.h"

namespace ringside::app {

class PoolJob {
 public:
  explicit PoolJob(net::Loop& loop) : loop_(loop) {}
  ~PoolJob();
  PoolJob(const PoolJob&) = delete;
  PoolJob& operator=(const PoolJob&) = delete;

  // Needs: idle().
  void start(std::function<void()> work, std::function<void()> then);
  [[nodiscard]] bool idle() const { return job_ == nullptr; }
  // Calls back once nothing runs: now, or after `then` unless that started another.
  void when_idle(std::function<void()> call);

 private:
  struct Job;
  void ended();

  net::Loop& loop_;
  std::shared_ptr<Job> job_;
  std::function<void()> on_idle_;
};

}  // namespace ringside::app
