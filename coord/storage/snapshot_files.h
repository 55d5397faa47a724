// Snapshot files that are being written: what goes to the disk for each part, and whether a file is
// whole. Used by Storage and coord/rebirth. Pure.
//
//   begun ── parts ──▶ sealed ── that batch done ──▶ whole ── taken by a manifest
//     └────────┴─────────┴── a failed batch ──▶ failed: takes no more
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coord/codec/manifest_codec.h"
#include "coord/storage/storage.h"

namespace ringside::coord {

class SnapshotFiles {
 public:
  struct Whole {
    ManifestSnapshot snapshot;
    std::string part_file;      // its name until now
    std::uint64_t covered = 0;  // as begin() was told
  };

  // The operations of each call, for the side lane; none: the file takes no more.
  // `covered`: bytes of log that it makes superfluous.
  SnapshotFileId begin(BirthId birth, ManifestSnapshot snapshot, std::vector<DiskOp>& ops,
                       std::uint64_t covered = 0);
  std::vector<DiskOp> add(SnapshotFileId id, std::shared_ptr<const Bytes> part);
  std::vector<DiskOp> seal(SnapshotFileId id);
  // Forgets it; nullopt: nothing is left to remove.
  std::optional<std::string> drop(SnapshotFileId id);

  // The batch of its seal, or of anything else of it, is done.
  void sealed(SnapshotFileId id);
  // The file to remove; nullopt: it is gone, or failed before.
  std::optional<std::string> failed(SnapshotFileId id);
  [[nodiscard]] bool has_failed(SnapshotFileId id) const;

  // Hands it over to a manifest; nullopt: not whole.
  std::optional<Whole> take(SnapshotFileId id);

 private:
  enum class Phase { kBegun, kSealed, kWhole, kFailed };
  struct File {
    ManifestSnapshot snapshot;
    std::string name;
    Phase phase = Phase::kBegun;
    std::uint64_t state_bytes = 0;
    std::uint32_t check = 0;
    std::size_t unsynced = 0;
    std::uint64_t covered = 0;
  };
  File* find(SnapshotFileId id, Phase phase);

  std::uint64_t last_id_ = 0;
  std::map<SnapshotFileId, File> files_;
};

}  // namespace ringside::coord
