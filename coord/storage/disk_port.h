// The disk as coord sees it: batches of plain operations out, one completion per batch back.
//
// Called by storage (and through it by the driver); carried out by sidecar/disk on libuv's pool,
// and in the simulator by a disk that forgets what was not synced. Batches are carried out one
// after the other in the order of submit(), operations in the order of the batch; the first failed
// operation ends its batch, and nothing submitted later is carried out. Names are plain file names
// inside the one data directory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "config/base/bytes.h"
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

using DiskOp = std::variant<CreateFile, WriteAt, SyncFile, RenameFile, RemoveFile, SyncDirectory>;

struct DiskBatch {
  DiskBatchId id;
  std::vector<DiskOp> ops;
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
