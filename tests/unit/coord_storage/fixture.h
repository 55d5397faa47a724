// A member's storage over a disk in memory, with verbs short enough that a test reads as a rule.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "config/base/crc32c.h"
#include "coord/storage/storage.h"
#include "tests/sim/forgetful_disk.h"

namespace ringside::coord {

inline Zxid zxid(std::uint32_t epoch, std::uint64_t counter) {
  return Zxid{Epoch{epoch}, counter};
}

inline std::shared_ptr<const Bytes> text(const std::string& value) {
  const ByteView bytes = as_bytes(value);
  return std::make_shared<const Bytes>(bytes.begin(), bytes.end());
}

inline Entry entry(Zxid id) {
  return {id, text("txn " + id.to_string())};
}

inline std::vector<Entry> entries(Zxid first, std::size_t count) {
  std::vector<Entry> out;
  for (Zxid id = first; out.size() < count; id = id.next()) {
    out.push_back(entry(id));
  }
  return out;
}

inline std::vector<Zxid> zxids(const std::vector<Entry>& log) {
  std::vector<Zxid> out;
  for (const Entry& one : log) {
    out.push_back(one.zxid);
  }
  return out;
}

// Rewrites the version (same place in all three formats) and the check at the end.
inline Bytes of_version(Bytes file, std::uint16_t version, std::size_t check_offset) {
  file[4] = static_cast<std::uint8_t>(version >> 8U);
  file[5] = static_cast<std::uint8_t>(version & 0xffU);
  const std::uint32_t check = crc32c(ByteView(file).first(check_offset));
  for (std::size_t i = 0; i < 4; ++i) {
    file[check_offset + i] = static_cast<std::uint8_t>(check >> (24U - 8U * i));
  }
  return file;
}

// Keeps batches until the test carries them out.
class HeldPort : public DiskPort {
 public:
  void submit(DiskBatch batch) override { batches.push_back(std::move(batch)); }
  std::deque<DiskBatch> batches;
};

struct Member {
  explicit Member(std::uint64_t segment_bytes = 1U << 20U)
      : options{"ring", MemberId{1}, segment_bytes} {}

  // Carries out what was submitted, without power cut. In the side lane the disk may be full.
  void run() {
    for (; !port.batches.empty(); port.batches.pop_front()) {
      const DiskBatch& batch = port.batches.front();
      outcomes[batch.id] = storage->on_disk_done(batch.id, carry_out(batch));
    }
  }
  // The next batch of the log's lane, once the side lane has done what it waits for.
  const DiskBatch& next_log_batch() {
    for (; port.batches.at(0).lane == DiskLane::kSide; port.batches.pop_front()) {
      storage->on_disk_done(port.batches.front().id, carry_out(port.batches.front()));
    }
    return port.batches.front();
  }
  Status carry_out(const DiskBatch& batch) {
    for (const DiskOp& op : batch.ops) {
      if (const Status can = disk.can(op); !can && batch.lane == DiskLane::kSide) {
        return can;
      }
      disk.apply(op);  // throws on a full disk
    }
    return {};
  }
  void tend(milliseconds at) {
    storage->tend(Instant(at));
    run();
  }
  [[nodiscard]] bool done(DiskBatchId id) const {
    return outcomes.contains(id) && outcomes.at(id) == DiskOutcome::kDone;
  }

  Result<Recovered> try_restart() {
    port.batches.clear();
    outcomes.clear();
    storage = std::make_unique<Storage>(options, port);
    return storage->recover(disk.image());
  }
  Recovered restart() {
    auto recovered = try_restart();
    REQUIRE_MESSAGE(recovered.has_value(), recovered.error().message);
    run();
    return std::move(*recovered);
  }

  // A member of epoch `epoch` with entries epoch.1 to epoch.count, one record each.
  void grow(std::uint32_t epoch, std::size_t count, std::size_t per_record = 1) {
    storage->save_epochs(kBirth, Epoch{epoch}, Epoch{epoch});
    const auto all = entries(zxid(epoch, 1), count);
    for (std::size_t at = 0; at < count; at += per_record) {
      const auto part = std::span(all).subspan(at, std::min(per_record, count - at));
      storage->append(
          part, commit,
          part.front().zxid == zxid(epoch, 1) ? Zxid{} : Zxid{part.front().zxid.packed - 1});
    }
    run();
  }

  // A whole snapshot file of `state`, not adopted yet. Carries out what is submitted.
  SnapshotFileId write_snapshot(Zxid at, const std::string& state) {
    const SnapshotFileId file = storage->begin_snapshot(at);
    storage->add_to_snapshot(file, text(state));
    storage->seal_snapshot(file);
    run();
    return file;
  }
  void save_snapshot(Zxid at, const std::string& state, Zxid keep_entries_from) {
    storage->adopt_snapshot(write_snapshot(at, state), keep_entries_from);
  }

  std::vector<std::string> files(const std::string& prefix) const {
    std::vector<std::string> out;
    for (const auto& [name, bytes] : disk.image().files) {
      if (name.starts_with(prefix)) {
        out.push_back(name);
      }
    }
    return out;
  }

  static constexpr BirthId kBirth{77};
  StorageOptions options;
  HeldPort port;
  sim::ForgetfulDisk disk;
  std::unique_ptr<Storage> storage;
  std::map<DiskBatchId, DiskOutcome> outcomes;
  Zxid commit;
};

// The text of the failed CHECK of ours, or "".
std::string check_failure_of(const std::function<void()>& call);

}  // namespace ringside::coord
