// Keeps the copy of the service view on disk, so that a sidecar that starts without a quorum can
// serve.
//
// Owned by App, loop thread only. A change is written kDelay later at the earliest, on libuv's
// pool, the newest view only; a write that fails is logged and tried again with the next change.
// The directory may be empty (no disk): nothing is kept then.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/error.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/timer.h"

namespace ringside::app {

class ViewStore {
 public:
  static constexpr milliseconds kDelay{500};

  // Makes the bytes to write, of what it holds: on the pool.
  using Encode = std::function<Bytes()>;

  // `hold` takes hold of what is to be written when the time has come.
  ViewStore(net::Loop& loop, std::string directory, std::function<Encode()> hold,
            std::function<void(const std::string&)> log);
  ~ViewStore();
  ViewStore(const ViewStore&) = delete;
  ViewStore& operator=(const ViewStore&) = delete;

  // What is there from before; kNotFound when there is none.
  [[nodiscard]] Result<Bytes> read() const;
  void changed();
  // Writes what is due now and calls back when no write is under way any more.
  void flush(std::function<void()> done);

 private:
  struct Job;
  void write();
  void written(const Status& status);

  net::Loop& loop_;
  std::string path_;
  std::function<Encode()> hold_;
  std::function<void(const std::string&)> log_;
  net::Timer timer_;
  std::shared_ptr<Job> job_;  // a write under way
  bool due_ = false;
  std::vector<std::function<void()>> on_flushed_;
};

}  // namespace ringside::app
