// Carries out coord's disk batches on libuv's pool, one at a time in each lane, and hands each
// completion back on the loop's thread.
//
// Made and used on the control loop's thread; its completions arrive there too. Good path: submit()
// queues, one batch of a lane at a time runs on the pool, on_done(id, ok) follows. Failure path:
// the first failed operation ends its batch and on_done gets the error; after one that ends the
// port (coord::ends_port: any of the log's lane) nothing is carried out or answered any more (D9),
// another one of the side lane fails alone. shut_down()
// stops taking batches; on_idle is called once those under way have ended (pool work cannot be
// cancelled), after which the executor may be destroyed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "config/base/error.h"
#include "coord/storage/disk_port.h"

struct uv_loop_s;

namespace ringside::disk {

class DiskExecutor : public coord::DiskPort {
 public:
  using Done = std::function<void(coord::DiskBatchId, const Status&)>;

  DiskExecutor(uv_loop_s* loop, const std::string& directory, Done on_done);
  ~DiskExecutor() override;  // needs: idle, or shut_down() has called back
  DiskExecutor(const DiskExecutor&) = delete;
  DiskExecutor& operator=(const DiskExecutor&) = delete;

  void submit(coord::DiskBatch batch) override;
  // Batches queued already are still carried out, their completions no longer reported.
  void shut_down(std::function<void()> on_idle);
  [[nodiscard]] bool idle() const;
  // For whoever reads the directory beside it: two equal marks, and nothing of the log's lane was
  // under way in between. nullopt: something is.
  [[nodiscard]] std::optional<std::uint64_t> log_at_rest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringside::disk
