#include "sidecar/disk/data_dir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "sidecar/disk/file_ops.h"

namespace ringside::disk {

namespace fs = std::filesystem;

namespace {

// Above the longest snapshot (coord::kMaxSnapshotBytes): what was adopted must be readable.
constexpr std::size_t kMaxFileBytes = std::size_t{65} << 30U;

bool writable(const std::string& path) {
  return ::access(path.c_str(), W_OK | X_OK) == 0;
}

bool ours_alone(std::string_view name) {
  if (name.ends_with(".tmp")) {
    name.remove_suffix(4);
  }
  return name == kLockFile || name == kViewFile || name == kObserverIdFile || name == kVotersFile;
}

}  // namespace

std::string choose_data_dir(
    const std::string& configured, const std::string& name,
    const std::function<std::optional<std::string>(std::string_view)>& env) {
  if (!configured.empty()) {
    return configured;
  }
  if (const auto state = env("STATE_DIRECTORY"); state && !state->empty()) {
    return state->substr(0, state->find(':'));  // systemd lists several with colons
  }
  if (writable("/var/lib/ringside")) {
    return "/var/lib/ringside";
  }
  if (const auto xdg = env("XDG_STATE_HOME"); xdg && !xdg->empty()) {
    return fmt::format("{}/ringside/{}", *xdg, name);
  }
  if (const auto home = env("HOME"); home && !home->empty()) {
    return fmt::format("{}/.local/state/ringside/{}", *home, name);
  }
  return {};
}

Result<DataDir> DataDir::open(const std::string& path) {
  std::error_code error;
  const bool made = fs::create_directories(path, error);
  std::error_code not_there;
  if (error && !fs::is_directory(path, not_there)) {
    return fail(ErrorCode::kIo, fmt::format("cannot make data_dir {}: {}", path, error.message()));
  }
  if (made) {
    fs::permissions(path, fs::perms::owner_all, error);
    if (error) {
      return fail(ErrorCode::kIo,
                  fmt::format("cannot make data_dir {} private: {}", path, error.message()));
    }
  }
  const std::string lock_path = fmt::format("{}/{}", path, kLockFile);
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) {
    return fail(ErrorCode::kIo,
                fmt::format("cannot write in data_dir {}: {}", path, std::strerror(errno)));
  }
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    ::close(lock);
    if (reason == EWOULDBLOCK) {
      return fail(
          ErrorCode::kRefused,
          fmt::format(
              "data_dir {} is in use by another ringside; give this one a ring.data_dir of its own",
              path));
    }
    return fail(ErrorCode::kIo,
                fmt::format("cannot lock {}: {}", lock_path, std::strerror(reason)));
  }
  return DataDir(path, lock);
}

DataDir::DataDir(DataDir&& other) noexcept : path_(std::move(other.path_)), lock_(other.lock_) {
  other.lock_ = -1;
}

DataDir::~DataDir() {
  if (lock_ >= 0) {
    ::close(lock_);
  }
}

Result<coord::DiskImage> DataDir::read_image() const {
  coord::DiskImage image;
  std::error_code error;
  for (fs::directory_iterator it(path_, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    std::error_code unknown;  // a link to nothing: one unreadable file, not an unreadable directory
    const bool is_file = it->is_regular_file(unknown);
    if (ours_alone(name) || (!is_file && !unknown)) {
      continue;
    }
    auto bytes = read_file(it->path().string(), kMaxFileBytes);
    if (bytes) {
      image.files.emplace(name, std::move(*bytes));
    } else {
      image.unreadable.push_back(name);
    }
  }
  if (error) {
    return fail(ErrorCode::kIo, fmt::format("cannot read data_dir {}: {}", path_, error.message()));
  }
  return image;
}

}  // namespace ringside::disk
