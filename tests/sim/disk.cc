#include "tests/sim/disk.h"

#include <algorithm>
#include <variant>

namespace ringside::sim {

void SimDisk::submit(coord::DiskBatch batch) {
  if (failed_) {
    return;
  }
  batches_.push_back(std::move(batch));
  if (!busy_) {
    begin_next();
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

void SimDisk::begin_next() {
  if (batches_.empty()) {
    busy_ = false;
    return;
  }
  busy_ = true;
  Duration total{};
  for (const coord::DiskOp& op : batches_.front().ops) {
    total += latency_of(op);
  }
  queue_.after(total, [this, run = run_] { finish(run); });
}

void SimDisk::finish(std::uint64_t run) {
  if (run != run_) {
    return;
  }
  const coord::DiskBatch batch = std::move(batches_.front());
  batches_.pop_front();
  const std::size_t good = failing_ ? rng_.below(batch.ops.size()) : batch.ops.size();
  for (std::size_t i = 0; i < good; ++i) {
    files_.apply(batch.ops[i]);
  }
  if (failing_) {
    failed_ = true;
    batches_.clear();
    done_(batch.id, fail(ErrorCode::kIo, "simulated disk failure"));
    return;
  }
  begin_next();
  done_(batch.id, {});
}

void SimDisk::crash(bool power) {
  if (busy_ && !batches_.empty()) {
    const auto& ops = batches_.front().ops;
    const std::size_t stop = rng_.below(ops.size() + 1);
    for (std::size_t i = 0; i < stop; ++i) {
      files_.apply(ops[i]);
    }
    const auto* write = stop < ops.size() ? std::get_if<coord::WriteAt>(&ops[stop]) : nullptr;
    if (write != nullptr) {
      files_.apply_partly(*write, rng_.below(write->bytes->size() + 1));
    }
  }
  batches_.clear();
  busy_ = false;
  ++run_;
  done_ = {};
  if (power || failed_) {
    power_cut();  // after a failed sync the pages may be gone as well
  }
  failing_ = failed_ = false;
}

void SimDisk::power_cut() {
  Loss loss;
  const double names = rng_.unit();
  loss.name_survives = [this, names] { return rng_.chance(names); };
  loss.tear = [this](Bytes& bytes, std::size_t synced) {
    const std::size_t kept = synced + rng_.below(bytes.size() - synced + 1);
    switch (rng_.below(4)) {
      case 0: bytes.resize(synced); break;
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
  Bytes& bytes = files_.bytes_of(names[rng_.below(names.size())]);
  bytes[rng_.below(bytes.size())] ^= static_cast<std::uint8_t>(1 + rng_.below(255));
  return true;
}

}  // namespace ringside::sim
