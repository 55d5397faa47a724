// A data directory of any bytes: reading it must not crash, what it gives must be a history without
// a gap, and a member must be able to write on behind it and find that again.
//
// The first byte picks the directory: 0 files made of the input (manifest, segments, snapshots),
// else a sound one that the input damages, step by step. The checks of a manifest and of file
// headers are made good again where the input says so, so that what is behind them is reached.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/base/check.h"
#include "config/base/crc32c.h"
#include "coord/rebirth.h"
#include "coord/storage/storage.h"

namespace ringside::coord {
namespace {

const StorageOptions kOptions{"ring", MemberId{1}, 400};

// A disk that does at once what it is told, and forgets nothing.
class InstantDisk : public DiskPort {
 public:
  explicit InstantDisk(DiskImage from) : image(std::move(from)) {}

  void submit(DiskBatch batch) override { waiting_.push_back(std::move(batch)); }
  void run(Storage& storage) {
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      const DiskBatch batch = waiting_[i];
      for (const DiskOp& op : batch.ops) {
        std::visit([this](const auto& one) { carry_out(one); }, op);
      }
      storage.on_disk_done(batch.id, {});
    }
    waiting_.clear();
  }
  DiskImage image;

 private:
  void carry_out(const CreateFile& op) { image.files[op.file].clear(); }
  void carry_out(const WriteAt& op) {
    Bytes& file = image.files[op.file];
    file.resize(std::max<std::size_t>(file.size(), op.offset + op.bytes->size()));
    std::ranges::copy(*op.bytes, file.begin() + static_cast<std::ptrdiff_t>(op.offset));
  }
  void carry_out(const RenameFile& op) {
    image.files[op.to] = std::move(image.files[op.from]);
    image.files.erase(op.from);
  }
  void carry_out(const RemoveFile& op) {
    image.files.erase(op.file);
    std::erase(image.unreadable, op.file);
  }
  template <typename Other>
  void carry_out(const Other&) {}

  std::vector<DiskBatch> waiting_;
};

std::vector<Entry> entries(Zxid first, std::size_t count, std::size_t bytes) {
  std::vector<Entry> out;
  for (Zxid at = first; out.size() < count; at = at.next()) {
    out.push_back({at, std::make_shared<const Bytes>(bytes, static_cast<std::uint8_t>(7))});
  }
  return out;
}

// Snapshot, several segments, two epochs.
DiskImage sound_directory() {
  InstantDisk disk({});
  Storage storage(kOptions, disk);
  CHECK(storage.recover({}).has_value());
  storage.save_epochs(BirthId{5}, Epoch{1}, Epoch{1});
  for (std::uint64_t i = 1; i <= 12; ++i) {
    storage.append(entries(Zxid{Epoch{1}, i}, 1, 60), Zxid{Epoch{1}, i - 1}, {});
    disk.run(storage);
  }
  const SnapshotFileId file = storage.begin_snapshot(Zxid{Epoch{1}, 8});
  storage.add_to_snapshot(file, std::make_shared<const Bytes>(300, std::uint8_t{9}));
  storage.seal_snapshot(file);
  disk.run(storage);
  storage.adopt_snapshot(file, Zxid{Epoch{1}, 4});
  storage.save_epochs(BirthId{5}, Epoch{2}, Epoch{2});
  storage.append(entries(Zxid{Epoch{2}, 1}, 5, 30), Zxid{Epoch{1}, 12}, {});
  disk.run(storage);
  return disk.image;
}

void put_u32(Bytes& file, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) {
    file[at + i] = static_cast<std::uint8_t>(value >> (24U - 8U * i));
  }
}

// Makes the check good again that stands at `at` for the bytes before it.
void mend(Bytes& file, std::size_t at) {
  if (at + 4 <= file.size()) {
    put_u32(file, at, crc32c(ByteView(file).first(at)));
  }
}

void mend(const std::string& name, Bytes& file) {
  if (name == "manifest" && file.size() >= 4) {
    mend(file, file.size() - 4);
  } else if (name.starts_with("log.")) {
    mend(file, 36);
  } else if (name.starts_with("snap.")) {
    mend(file, 24);
    if (file.size() >= 4) {
      mend(file, file.size() - 4);
    }
  }
}

void damage(DiskImage& image, ByteReader& in) {
  auto file =
      std::next(image.files.begin(), static_cast<std::ptrdiff_t>(in.u8() % image.files.size()));
  Bytes& bytes = file->second;
  const std::uint8_t how = in.u8();
  const std::size_t at = bytes.empty() ? 0 : in.u16() % bytes.size();
  switch (how % 8U) {
    case 0:
    case 1:
      if (!bytes.empty()) {
        bytes[at] = in.u8();
      }
      break;
    case 2: bytes.resize(at); break;
    case 3: bytes.resize(bytes.size() + in.u8()); break;
    case 4:
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), std::uint8_t{0});
      break;
    case 5: {
      const ByteView more = in.raw(std::min<std::size_t>(in.left(), at % 64U));
      bytes.insert(bytes.end(), more.begin(), more.end());
      break;
    }
    case 6:
      image.unreadable.push_back(file->first);
      image.files.erase(file);
      return;
    default:
      if (image.files.size() > 1) {
        image.files.erase(file);
      }
      return;
  }
  if (how >= 128) {
    mend(file->first, bytes);
  }
}

DiskImage directory_of(ByteReader& in) {
  DiskImage image;
  if (in.u8() != 0) {
    static const DiskImage sound = sound_directory();
    image = sound;
    for (std::size_t i = 0; i < 8 && in.left() > 0 && !image.files.empty(); ++i) {
      damage(image, in);
    }
    return image;
  }
  static const std::array<std::string, 6> kNames{
      "manifest",     "log.00000001",
      "log.00000002", "snap.0000010000000001-00000003",
      "spare.4",      "snap.0000010000000001-00000005.part"};
  while (in.left() > 0 && image.files.size() < kNames.size()) {
    const std::uint8_t head = in.u8();
    const std::string& name = kNames[head % kNames.size()];
    const ByteView bytes = in.raw(std::min<std::size_t>(in.left(), in.u16()));
    Bytes& file = image.files[name];
    file.assign(bytes.begin(), bytes.end());
    if (head >= 128) {
      mend(name, file);
    }
  }
  return image;
}

Zxid last_of(const Recovered& recovered) {
  const Zxid base = recovered.snapshot ? recovered.snapshot->zxid : Zxid{};
  return recovered.log.empty() ? base : std::max(base, recovered.log.back().zxid);
}

void check_history(const Recovered& recovered) {
  const Zxid base = recovered.snapshot ? recovered.snapshot->zxid : Zxid{};
  for (std::size_t i = 1; i < recovered.log.size(); ++i) {
    CHECK(recovered.log[i].zxid.follows(recovered.log[i - 1].zxid));
  }
  CHECK(recovered.log.empty() || recovered.log.back().zxid >= base);
  CHECK(recovered.commit_point <= last_of(recovered));
  CHECK(recovered.current_epoch <= recovered.accepted_epoch);
}

void write_on(const Recovered& before, Storage& storage, InstantDisk& disk) {
  const Epoch next{std::max(before.accepted_epoch.value, last_of(before).epoch().value) + 1};
  if (next.value > kMaxEpoch) {
    return;
  }
  const BirthId birth = before.birth ? before.birth : BirthId{6};
  storage.save_epochs(birth, next, next);
  storage.append(entries(Zxid{next, 1}, 3, 200), last_of(before), {});
  storage.tend(Instant{});
  disk.run(storage);
  Storage again(kOptions, disk);
  const auto recovered = again.recover(disk.image);
  CHECK(recovered.has_value());
  CHECK(!recovered->in_doubt);
  check_history(*recovered);
  CHECK((last_of(*recovered) == Zxid{next, 3}));
  CHECK(recovered->log.size() >= 3);
}

}  // namespace
}  // namespace ringside::coord

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringside::coord;
  ringside::ByteReader in(ringside::ByteView(data, size));
  const DiskImage image = directory_of(in);
  (void)rebirth(kOptions, image, BirthId{99});
  InstantDisk disk(image);
  Storage storage(kOptions, disk);
  const auto recovered = storage.recover(image);
  if (!recovered) {
    return 0;
  }
  check_history(*recovered);
  disk.run(storage);
  write_on(*recovered, storage, disk);
  return 0;
}
