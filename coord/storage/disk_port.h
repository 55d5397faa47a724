// The disk as coord sees it: batches of plain operations out, one completion per batch back.
//
// Called by storage (and through it by the driver); carried out by sidecar/disk on libuv's pool,
// and in the simulator by a disk that forgets what was not synced. There are two lanes, which run
// side by side: in each of them batches are carried out one after the other in the order of
// submit(), operations in the order of the batch, and the first failed operation ends its batch. A
// failed batch of the log's lane ends the port: nothing submitted later, in either lane, is carried
// out or answered (D9). A failed batch of the side lane fails alone if it surely concerns nothing
// but files that count for nothing (ends_port()); later batches are carried out then. Names are
// plain file names inside the one data directory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/error.h"
#include "config/base/strong_id.h"

namespace ringside::coord {

using DiskBatchId = StrongId<struct DiskBatchIdTag>;

struct CreateFile {  // new and empty, or truncated to empty if it exists; the name is durable only
                     // after SyncDirectory
  std::string file;
};
struct WriteAt {  // extends the file as needed
  std::string file;
  std::uint64_t offset = 0;
  std::shared_ptr<const Bytes> bytes;
};
struct SyncFile {  // fdatasync
  std::string file;
};
struct RenameFile {  // replaces `to`
  std::string from;
  std::string to;
};
struct RemoveFile {  // fine when it is not there
  std::string file;
};
struct SyncDirectory {};  // makes creates, renames and removes durable
// Takes real blocks for the first `bytes` of a file, so that a write there cannot find the disk
// full; the file's size stays. kUnavailable: there is no room. A file system that cannot do it
// counts as having done it.
struct AllocateFile {
  std::string file;
  std::uint64_t bytes = 0;
};
struct TrimFile {  // gives back the blocks behind the end; fine when the file is not there
  std::string file;
};

using DiskOp = std::variant<CreateFile, WriteAt, SyncFile, RenameFile, RemoveFile, SyncDirectory,
                            AllocateFile, TrimFile>;

enum class DiskLane { kLog, kSide };

// Whether a failure ends the port. In the side lane it does when names were to be made durable: the
// kernel tells of a write that failed once, so the log's next sync of the directory would pass for
// done and lose a name that it counts on. Not so for want of room or descriptors (kUnavailable):
// nothing was tried then. Files have an error of their own, and the lanes sync none in common.
[[nodiscard]] inline bool ends_port(DiskLane lane, bool syncs_names, const Error& why) {
  return lane == DiskLane::kLog || (syncs_names && why.code != ErrorCode::kUnavailable);
}
[[nodiscard]] inline bool syncs_names(const std::vector<DiskOp>& ops) {
  return std::ranges::any_of(
      ops, [](const DiskOp& op) { return std::holds_alternative<SyncDirectory>(op); });
}

struct DiskBatch {
  DiskBatchId id;
  std::vector<DiskOp> ops;
  DiskLane lane = DiskLane::kLog;
};

class DiskPort {
 public:
  virtual ~DiskPort() = default;
  // Never calls back before it returns; the completion comes later as Driver::on_disk_done.
  virtual void submit(DiskBatch batch) = 0;
};

// Everything in the data directory, read once before the member starts. std::nullopt in place of
// contents: the file is there and cannot be read.
struct DiskImage {
  std::map<std::string, Bytes> files;
  std::vector<std::string> unreadable;
};

}  // namespace ringside::coord
