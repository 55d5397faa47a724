// A member's disk on virtual time: batches one after the other, each operation with its latency,
// with power cuts, failing operations, damage and wiping. The member that owns it may die at any
// moment; what it had submitted and the disk had not done is then lost.
#pragma once

#include <deque>
#include <functional>

#include "config/base/error.h"
#include "config/base/rng.h"
#include "coord/storage/disk_port.h"
#include "tests/sim/forgetful_disk.h"
#include "tests/sim/trace.h"

namespace ringside::sim {

class SimDisk : public coord::DiskPort {
 public:
  using Done = std::function<void(coord::DiskBatchId, const Status&)>;

  SimDisk(EventQueue& queue, Rng rng) : queue_(queue), rng_(rng) {}

  // Of the process that uses the disk now.
  void set_done(Done done) { done_ = std::move(done); }
  void submit(coord::DiskBatch batch) override;

  // The process dies: the batch under way stops somewhere. `power`: unsynced data and names may go.
  void crash(bool power);
  void wipe() { files_.wipe(); }
  // Flips bits of one byte of a log file or the newest snapshot; false: there is none.
  bool damage();
  [[nodiscard]] coord::DiskImage image() const { return files_.image(); }

  void set_slow(bool slow) { slow_ = slow; }
  // The next batch fails at some operation, and nothing after it is carried out.
  void fail_next() { failing_ = true; }
  void will_not_fail() { failing_ = false; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  Duration latency_of(const coord::DiskOp& op);
  void begin_next();
  void finish(std::uint64_t run);
  void power_cut();

  EventQueue& queue_;
  Rng rng_;
  Done done_;
  ForgetfulDisk files_;
  std::deque<coord::DiskBatch> batches_;
  bool busy_ = false;
  bool slow_ = false;
  bool failing_ = false;
  bool failed_ = false;
  std::uint64_t run_ = 0;
};

}  // namespace ringside::sim
