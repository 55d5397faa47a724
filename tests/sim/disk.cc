#include "tests/sim/disk.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

namespace ringside::sim {

namespace {

bool of_snapshot(const coord::DiskOp& op) {
  return std::visit(
      [](const auto& one) {
        if constexpr (requires { one.file; }) {
          return one.file.starts_with("snap.");
        } else {
          return false;
        }
      },
      op);
}

}  // namespace

void SimDisk::submit(coord::DiskBatch batch) {
  if (failed_) {
    return;
  }
  Lane& lane = batch.lane == coord::DiskLane::kLog ? log() : side();
  lane.batches.push_back(std::move(batch));
  if (!lane.busy) {
    begin_next(lane);
  }
}

void SimDisk::will_not_fail() {
  for (Lane& lane : lanes_) {
    lane.failing = false;
    lane.stop = lane.batches.empty() ? 0 : lane.batches.front().ops.size();
  }
}

Duration SimDisk::latency_of(const coord::DiskOp& op) {
  const bool sync = std::holds_alternative<coord::SyncFile>(op) ||
                    std::holds_alternative<coord::SyncDirectory>(op);
  if (!sync) {
    return microseconds(rng_.between(2, 30));
  }
  if (slow_) {
    return milliseconds(rng_.between(20, 400));
  }
  return rng_.chance(0.01) ? milliseconds(rng_.between(5, 80))
                           : microseconds(rng_.between(100, 2500));
}

void SimDisk::begin_next(Lane& lane) {
  if (lane.batches.empty()) {
    lane.busy = false;
    return;
  }
  lane.busy = true;
  const std::size_t ops = lane.batches.front().ops.size();
  lane.done = 0;
  lane.stop = std::exchange(lane.failing, false) ? rng_.below(ops) : ops;
  begin_op(lane);
}

// One at a time: the lanes' operations fall between each other's.
void SimDisk::begin_op(Lane& lane) {
  const coord::DiskBatch& batch = lane.batches.front();
  const Duration takes =
      lane.done < batch.ops.size() ? latency_of(batch.ops[lane.done]) : Duration{};
  queue_.after(takes, [this, &lane, run = run_] { finish(lane, run); });
}

void SimDisk::finish(Lane& lane, std::uint64_t run) {
  if (run != run_ || lane.batches.empty()) {
    return;
  }
  Status status;
  if (lane.done < lane.stop) {
    status = carry_out(lane.batches.front(), lane.done, lane.done + 1);
    if (status && ++lane.done < lane.batches.front().ops.size()) {
      begin_op(lane);
      return;
    }
  } else {
    status = fail(ErrorCode::kIo, "simulated disk failure");
    fail_sync(lane);
  }
  const coord::DiskBatch batch = std::move(lane.batches.front());
  lane.batches.pop_front();
  snapshot_failed_ = snapshot_failed_ || (!status && of_snapshot(batch.ops[lane.done]));
  if (!status && coord::ends_port(batch.lane, coord::syncs_names(batch.ops), status.error())) {
    failed_ = true;
    log().batches.clear();
    side().batches.clear();
  } else {
    begin_next(lane);
  }
  done_(batch.id, status);
}

// A file system either drops the pages that it could not write, or keeps them and forgets that they
// are not on the disk.
void SimDisk::fail_sync(const Lane& lane) {
  const auto* sync = std::get_if<coord::SyncFile>(&lane.batches.front().ops[lane.done]);
  if (sync != nullptr && &lane == &log() && rng_.chance(0.6)) {
    files_.fail_sync(sync->file);
    pages_stay_ = true;
  }
}

Status SimDisk::carry_out(const coord::DiskBatch& batch, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    // In the side lane the disk may be full, or the file not there since an earlier batch failed;
    // in the log's lane that would be a bug of ours, and apply() throws.
    if (batch.lane == coord::DiskLane::kSide) {
      if (Status can = files_.can(batch.ops[i]); !can) {
        return can;
      }
    }
    files_.apply(batch.ops[i]);
    durable_.done(batch.ops[i]);
  }
  return {};
}

void SimDisk::stop_somewhere(const Lane& lane) {
  const coord::DiskBatch& batch = lane.batches.front();
  const std::size_t stop = lane.done + rng_.below(batch.ops.size() - lane.done + 1);
  const Status done = carry_out(batch, lane.done, stop);
  const auto* write =
      stop < batch.ops.size() ? std::get_if<coord::WriteAt>(&batch.ops[stop]) : nullptr;
  if (done && write != nullptr && files_.can(batch.ops[stop])) {
    files_.apply_partly(*write, rng_.below(write->bytes->size() + 1));
  }
}

void SimDisk::crash(bool power) {
  for (Lane& lane : lanes_) {
    if (lane.busy && !lane.batches.empty()) {
      stop_somewhere(lane);
    }
    lane = Lane{};
  }
  ++run_;
  done_ = {};
  durable_.forget();
  if (power || (failed_ && !pages_stay_)) {
    power_cut();  // after a failed sync the pages may be gone as well
  }
  failed_ = pages_stay_ = snapshot_failed_ = false;
}

void SimDisk::set_full(bool full) {
  files_.set_capacity(full ? files_.used() : std::numeric_limits<std::uint64_t>::max());
}

void SimDisk::power_cut() {
  Loss loss;
  const double names = rng_.unit();
  loss.name_survives = [this, names] { return rng_.chance(names); };
  loss.tear = [this](Bytes& bytes, std::size_t synced) {
    const std::size_t kept = synced + rng_.below(bytes.size() - synced + 1);
    switch (rng_.below(5)) {
      case 0: bytes.resize(synced); break;
      case 4: bytes.resize(bytes.size() + rng_.below(2000)); break;  // zeros of blocks taken ahead
      case 1: break;
      case 2: bytes.resize(kept); break;
      default: {  // the size was written, whole sectors were not
        constexpr std::size_t kSector = 512;
        for (std::size_t at = synced; at < bytes.size();) {
          const std::size_t next = std::min(bytes.size(), (at / kSector + 1) * kSector);
          if (rng_.chance(0.5)) {
            std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                      bytes.begin() + static_cast<std::ptrdiff_t>(next), std::uint8_t{0});
          }
          at = next;
        }
      }
    }
  };
  files_.power_cut(loss);
}

bool SimDisk::vanish() {
  const coord::DiskImage image = files_.image();
  if (image.files.empty()) {
    return false;
  }
  const auto place = static_cast<std::ptrdiff_t>(rng_.below(image.files.size()));
  files_.lose(std::next(image.files.begin(), place)->first);
  durable_.forget();
  return true;
}

bool SimDisk::damage() {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : files_.image().files) {
    if ((name.starts_with("log.") || name.starts_with("snap.")) && !bytes.empty()) {
      names.push_back(name);
    }
  }
  if (names.empty()) {
    return false;
  }
  durable_.forget();
  Bytes& bytes = files_.bytes_of(names[rng_.below(names.size())]);
  bytes[rng_.below(bytes.size())] ^= static_cast<std::uint8_t>(1 + rng_.below(255));
  return true;
}

}  // namespace ringside::sim
