// A member's disk on virtual time: two lanes side by side, in each of them batches one after the
// other, each operation with its latency; with power cuts, failing operations, damage and wiping.
// The member that owns it may die at any moment; what it had submitted and the disk had not done is
// then lost.
#pragma once

#include <array>
#include <deque>
#include <functional>

#include "config/base/error.h"
#include "config/base/rng.h"
#include "coord/storage/disk_port.h"
#include "tests/sim/durable_log.h"
#include "tests/sim/forgetful_disk.h"
#include "tests/sim/trace.h"

namespace ringside::sim {

class SimDisk : public coord::DiskPort {
 public:
  using Done = std::function<void(coord::DiskBatchId, const Status&)>;

  SimDisk(EventQueue& queue, Rng rng, const std::string& ring_name, coord::MemberId member)
      : queue_(queue), rng_(rng), durable_(ring_name, member) {}

  // Of the process that uses the disk now.
  void set_done(Done done) { done_ = std::move(done); }
  void submit(coord::DiskBatch batch) override;

  // The process dies: the batch under way stops somewhere. `power`: unsynced data and names may go.
  void crash(bool power);
  void wipe() {
    files_.wipe();
    durable_.forget();
  }
  // Flips bits of one byte of a log file or a snapshot; false: there is none.
  bool damage();
  // One of the files is gone though its name was durable; false: there is none.
  bool vanish();
  [[nodiscard]] coord::DiskImage image() const { return files_.image(); }
  // What is there whatever happens to the power.
  const DurableState& durable() { return durable_.state(files_); }

  void set_slow(bool slow) { slow_ = slow; }
  // Full: no more blocks than are in use now.
  void set_full(bool full);
  // The next batch of the log's lane fails at some operation, and nothing after it is carried out.
  void fail_next() { log().failing = true; }
  // The next batch of the side lane fails, alone or not (coord::ends_port).
  void fail_next_side() { side().failing = true; }
  // What was armed and has not struck yet does not, in a batch under way neither.
  void will_not_fail();
  [[nodiscard]] bool failed() const { return failed_; }
  // Something of a snapshot file failed under the process that uses the disk now.
  [[nodiscard]] bool snapshot_failed() const { return snapshot_failed_; }

 private:
  struct Lane {
    std::deque<coord::DiskBatch> batches;
    bool busy = false;
    bool failing = false;
    std::size_t done = 0;  // operations of the first batch
    std::size_t stop = 0;  // the one that fails; none: as many as there are
  };

  Lane& log() { return lanes_[0]; }
  Lane& side() { return lanes_[1]; }
  Duration latency_of(const coord::DiskOp& op);
  void begin_next(Lane& lane);
  void finish(Lane& lane, std::uint64_t run);
  void begin_op(Lane& lane);
  void fail_sync(const Lane& lane);
  Status carry_out(const coord::DiskBatch& batch, std::size_t from, std::size_t to);
  void stop_somewhere(const Lane& lane);
  void power_cut();

  EventQueue& queue_;
  Rng rng_;
  Done done_;
  ForgetfulDisk files_;
  DurableLog durable_;
  std::array<Lane, 2> lanes_;
  bool slow_ = false;
  bool failed_ = false;
  bool pages_stay_ = false;  // of the file whose sync failed
  bool snapshot_failed_ = false;
  std::uint64_t run_ = 0;
};

}  // namespace ringside::sim
