#include "sidecar/disk/file_ops.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include "config/base/time.h"

namespace ringside::disk {

namespace {

constexpr std::size_t kMaxOpenFiles = 16;
constexpr std::size_t kReadChunk = 1U << 20U;
constexpr mode_t kFileMode = 0600;
constexpr milliseconds kPatience{5000};  // for a descriptor to become free
constexpr milliseconds kPause{2};

std::unexpected<Error> system_error(const char* call, const std::string& path) {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT;
  return fail(error == ENOENT ? ErrorCode::kNotFound
              : full          ? ErrorCode::kUnavailable
                              : ErrorCode::kIo,
              fmt::format("{} {}: {}", call, path, std::strerror(error)));
}

Status write_all(int fd, ByteView bytes, std::uint64_t offset, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0) {
      if (errno == EINTR) {
        continue;
      }
      return system_error("write", path);
    }
    if (done == 0) {
      return fail(ErrorCode::kIo, fmt::format("write {}: no progress", path));
    }
    bytes = bytes.subspan(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
  return {};
}

// A flood of connections can take every descriptor for a moment. Nothing is written yet, so waiting
// is no second try of a failed write (D9), and a voter is not lost to it. On the pool only.
int patient_open(const std::string& path, int flags) {
  int fd = ::open(path.c_str(), flags, kFileMode);
  for (milliseconds waited{0}; fd < 0 && (errno == EMFILE || errno == ENFILE) && waited < kPatience;
       waited += kPause) {
    std::this_thread::sleep_for(kPause);
    fd = ::open(path.c_str(), flags, kFileMode);
  }
  return fd;
}

Status sync_directory(const std::string& directory) {
  const int fd = patient_open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    const bool none_free = errno == EMFILE || errno == ENFILE;
    auto error = system_error("open", directory);
    if (none_free) {
      error.error().code = ErrorCode::kUnavailable;  // nothing was tried
    }
    return error;
  }
  const bool synced = ::fsync(fd) == 0;
  Status result;
  if (!synced) {
    result = system_error("fsync", directory);
  }
  ::close(fd);
  return result;
}

// A file that was removed under us takes writes and syncs as before, and is gone at the next start.
Status still_there(int fd, const std::string& path) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) {
    return system_error("fstat", path);
  }
  if (info.st_nlink == 0) {
    return fail(ErrorCode::kIo, fmt::format("{} was removed while it was in use", path));
  }
  return {};
}

bool plain_name(const std::string& file) {
  return !file.empty() && file.find('/') == std::string::npos && file != "." && file != "..";
}

}  // namespace

FileSet::FileSet(std::string directory) : directory_(std::move(directory)) {}

FileSet::~FileSet() {
  close_all();
}

void FileSet::close_all() {
  for (const auto& [file, fd] : open_) {
    ::close(fd);
  }
  open_.clear();
}

std::string FileSet::path(const std::string& file) const {
  return directory_ + "/" + file;
}

void FileSet::forget(const std::string& file) {
  const auto found = open_.find(file);
  if (found != open_.end()) {
    ::close(found->second);
    open_.erase(found);
  }
}

Result<int> FileSet::open_file(const std::string& file, int extra_flags) {
  if (!plain_name(file)) {
    return fail(ErrorCode::kInvalid, "not a plain file name: " + file);
  }
  const auto found = open_.find(file);
  if (found != open_.end() && extra_flags == 0) {
    return found->second;
  }
  forget(file);
  if (open_.size() >= kMaxOpenFiles) {
    forget(open_.begin()->first);
  }
  const int fd = patient_open(path(file), O_WRONLY | O_CLOEXEC | extra_flags);
  if (fd < 0) {
    return system_error("open", path(file));
  }
  open_[file] = fd;
  return fd;
}

Status FileSet::run(const coord::DiskOp& op) {
  return std::visit([this](const auto& what) { return perform(what); }, op);
}

Status FileSet::perform(const coord::CreateFile& op) {
  const auto fd = open_file(op.file, O_CREAT | O_TRUNC);
  return fd ? Status{} : std::unexpected(fd.error());
}

Status FileSet::perform(const coord::WriteAt& op) {
  const auto fd = open_file(op.file, 0);
  if (!fd) {
    return std::unexpected(fd.error());
  }
  return write_all(*fd, *op.bytes, op.offset, path(op.file));
}

Status FileSet::perform(const coord::SyncFile& op) {
  const auto fd = open_file(op.file, 0);
  if (!fd) {
    return std::unexpected(fd.error());
  }
  if (::fdatasync(*fd) != 0) {
    return system_error("fdatasync", path(op.file));
  }
  return still_there(*fd, path(op.file));
}

Status FileSet::perform(const coord::RenameFile& op) {
  if (!plain_name(op.from) || !plain_name(op.to)) {
    return fail(ErrorCode::kInvalid, "not a plain file name: " + op.from + " or " + op.to);
  }
  forget(op.from);
  forget(op.to);
  if (::rename(path(op.from).c_str(), path(op.to).c_str()) != 0) {
    return system_error("rename", path(op.from));
  }
  return {};
}

Status FileSet::perform(const coord::RemoveFile& op) {
  if (!plain_name(op.file)) {
    return fail(ErrorCode::kInvalid, "not a plain file name: " + op.file);
  }
  forget(op.file);
  if (::unlink(path(op.file).c_str()) != 0 && errno != ENOENT) {
    return system_error("unlink", path(op.file));
  }
  return {};
}

Status FileSet::perform(const coord::SyncDirectory&) {
  return sync_directory(directory_);
}

Status FileSet::perform(const coord::AllocateFile& op) {
  const auto fd = open_file(op.file, 0);
  if (!fd) {
    return std::unexpected(fd.error());
  }
  while (::fallocate(*fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(op.bytes)) != 0) {
    if (errno == EOPNOTSUPP || errno == ENOSYS) {
      return {};
    }
    if (errno != EINTR) {
      return system_error("fallocate", path(op.file));
    }
  }
  return {};
}

Status FileSet::perform(const coord::TrimFile& op) {
  const auto fd = open_file(op.file, 0);
  if (!fd) {
    return fd.error().code == ErrorCode::kNotFound ? Status{} : std::unexpected(fd.error());
  }
  struct stat info{};
  if (::fstat(*fd, &info) != 0) {
    return system_error("fstat", path(op.file));
  }
  return ::ftruncate(*fd, info.st_size) == 0 ? Status{} : system_error("ftruncate", path(op.file));
}

Result<Bytes> read_file(const std::string& path, std::size_t max_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return system_error("open", path);
  }
  Bytes bytes;
  Result<Bytes> result;
  struct stat info{};
  if (::fstat(fd, &info) == 0 && info.st_size > 0) {  // only a hint
    bytes.reserve(std::min(static_cast<std::size_t>(info.st_size), max_bytes) + kReadChunk);
  }
  while (true) {
    const std::size_t have = bytes.size();
    bytes.resize(have + kReadChunk);
    const ssize_t got = ::read(fd, bytes.data() + have, kReadChunk);
    if (got < 0) {
      bytes.resize(have);
      if (errno == EINTR) {
        continue;
      }
      result = system_error("read", path);
      break;
    }
    bytes.resize(have + static_cast<std::size_t>(got));
    if (bytes.size() > max_bytes) {
      result =
          fail(ErrorCode::kTooLarge, fmt::format("{} is longer than {} bytes", path, max_bytes));
      break;
    }
    if (got == 0) {
      result = std::move(bytes);
      break;
    }
  }
  ::close(fd);
  return result;
}

Status replace_file(const std::string& path, ByteView bytes) {
  const std::string temp = path + ".tmp";
  const int fd = ::open(temp.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode);
  if (fd < 0) {
    return system_error("open", temp);
  }
  Status written = write_all(fd, bytes, 0, temp);
  if (written && ::fsync(fd) != 0) {
    written = system_error("fsync", temp);
  }
  ::close(fd);
  if (!written) {
    return written;
  }
  if (::rename(temp.c_str(), path.c_str()) != 0) {
    return system_error("rename", temp);
  }
  return sync_directory(std::filesystem::path(path).parent_path().string());
}

}  // namespace ringside::disk
