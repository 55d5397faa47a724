// Plain blocking file operations with errors that say what was tried: the hands of DiskExecutor,
// data_dir and the view file.
//
// Called on libuv's pool or before the loop runs, never on a loop thread. No state besides the open
// descriptors of FileSet, which has one owner at a time.
#pragma once

#include <map>
#include <string>

#include "config/base/bytes.h"
#include "config/base/error.h"
#include "coord/storage/disk_port.h"

namespace ringside::disk {

// The open files of one directory. Carries out one DiskOp at a time. Files stay open until renamed,
// removed or evicted.
class FileSet {
 public:
  explicit FileSet(std::string directory);
  ~FileSet();
  FileSet(const FileSet&) = delete;
  FileSet& operator=(const FileSet&) = delete;

  // Good path: the operation is done as disk_port.h says. kIo: the system call failed (the message
  // names call, file and reason; a short write goes on where it ended). kUnavailable: the disk is
  // full. kInvalid: a name with a slash or an empty one.
  Status run(const coord::DiskOp& op);
  // Nothing stays open: before another FileSet renames or removes what this one wrote.
  void close_all();

 private:
  Status perform(const coord::CreateFile& op);
  Status perform(const coord::WriteAt& op);
  Status perform(const coord::SyncFile& op);
  Status perform(const coord::RenameFile& op);
  Status perform(const coord::RemoveFile& op);
  Status perform(const coord::SyncDirectory& op);
  Status perform(const coord::AllocateFile& op);
  Status perform(const coord::TrimFile& op);
  // Descriptor of a file open for writing.
  Result<int> open_file(const std::string& file, int extra_flags);
  void forget(const std::string& file);
  [[nodiscard]] std::string path(const std::string& file) const;

  std::string directory_;
  std::map<std::string, int> open_;
};

// Whole contents; kNotFound without the file, kTooLarge over max_bytes, kIo else.
Result<Bytes> read_file(const std::string& path, std::size_t max_bytes);

// Temp file, write, fsync, rename, directory fsync. Mode 0600.
Status replace_file(const std::string& path, ByteView bytes);

}  // namespace ringside::disk
