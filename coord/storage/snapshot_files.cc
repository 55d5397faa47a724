#include "coord/storage/snapshot_files.h"

#include <utility>

#include "config/base/crc32c.h"
#include "coord/codec/snapshot_file.h"
#include "coord/storage/recovery.h"

namespace ringside::coord {

SnapshotFiles::File* SnapshotFiles::find(SnapshotFileId id, Phase phase) {
  const auto found = files_.find(id);
  return found != files_.end() && found->second.phase == phase ? &found->second : nullptr;
}

SnapshotFileId SnapshotFiles::begin(BirthId birth, ManifestSnapshot snapshot,
                                    std::vector<DiskOp>& ops, std::uint64_t covered) {
  File file;
  file.covered = covered;
  file.snapshot = snapshot;
  file.name = snapshot_file(snapshot) + kPartSuffix;
  auto header = std::make_shared<const Bytes>(encode_snapshot_header(birth, snapshot.zxid));
  file.check = crc32c(*header);
  ops.emplace_back(CreateFile{file.name});
  ops.emplace_back(WriteAt{file.name, 0, std::move(header)});
  const SnapshotFileId id{++last_id_};
  files_.emplace(id, std::move(file));
  return id;
}

std::vector<DiskOp> SnapshotFiles::add(SnapshotFileId id, std::shared_ptr<const Bytes> part) {
  File* const file = find(id, Phase::kBegun);
  if (file == nullptr || part->empty()) {
    return {};
  }
  const std::uint64_t offset = kSnapshotHeaderBytes + file->state_bytes;
  file->check = crc32c(*part, file->check);
  file->state_bytes += part->size();
  file->unsynced += part->size();
  std::vector<DiskOp> ops{WriteAt{file->name, offset, std::move(part)}};
  if (file->unsynced >= kSnapshotSyncBytes) {
    file->unsynced = 0;
    ops.emplace_back(SyncFile{file->name});
  }
  return ops;
}

std::vector<DiskOp> SnapshotFiles::seal(SnapshotFileId id) {
  File* const file = find(id, Phase::kBegun);
  if (file == nullptr) {
    return {};
  }
  file->phase = Phase::kSealed;
  auto trailer =
      std::make_shared<const Bytes>(encode_snapshot_trailer(file->state_bytes, file->check));
  // Its name need not be durable: whoever gives it another one sees to that.
  return {WriteAt{file->name, kSnapshotHeaderBytes + file->state_bytes, std::move(trailer)},
          SyncFile{file->name}};
}

std::optional<std::string> SnapshotFiles::drop(SnapshotFileId id) {
  auto file = files_.extract(id);
  if (file.empty() || file.mapped().phase == Phase::kFailed) {
    return std::nullopt;  // a failed one was removed then
  }
  return std::move(file.mapped().name);
}

void SnapshotFiles::sealed(SnapshotFileId id) {
  if (File* const file = find(id, Phase::kSealed)) {
    file->phase = Phase::kWhole;
  }
}

std::optional<std::string> SnapshotFiles::failed(SnapshotFileId id) {
  const auto found = files_.find(id);
  if (found == files_.end() || found->second.phase == Phase::kFailed) {
    return std::nullopt;
  }
  found->second.phase = Phase::kFailed;
  return found->second.name;
}

bool SnapshotFiles::has_failed(SnapshotFileId id) const {
  const auto found = files_.find(id);
  return found != files_.end() && found->second.phase == Phase::kFailed;
}

std::optional<SnapshotFiles::Whole> SnapshotFiles::take(SnapshotFileId id) {
  if (find(id, Phase::kWhole) == nullptr) {
    return std::nullopt;
  }
  auto file = files_.extract(id);
  return Whole{file.mapped().snapshot, std::move(file.mapped().name), file.mapped().covered};
}

}  // namespace ringside::coord
