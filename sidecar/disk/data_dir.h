// The data directory of one sidecar: where it is, that it can be used, that nobody else uses it,
// and what it holds.
//
// Called once by sidecar/app before the loop runs. Good path: the directory exists or is made (mode
// 0700), a lock file in it is locked for the life of the DataDir. Failure paths: not makeable or
// not writable (kIo, the caller serves calls as an observer without a disk), locked by another
// process (kRefused).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/error.h"
#include "coord/storage/disk_port.h"

namespace ringside::disk {

// product.md: `configured` if not empty, else $STATE_DIRECTORY, else /var/lib/ringside if writable,
// else $XDG_STATE_HOME/ringside/NAME (default $HOME/.local/state). Empty: none of them is there.
std::string choose_data_dir(const std::string& configured, const std::string& name,
                            const std::function<std::optional<std::string>(std::string_view)>& env);

class DataDir {
 public:
  // Makes and locks it.
  static Result<DataDir> open(const std::string& path);
  ~DataDir();
  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  // Every file of the ring's in it; files of ours that coord does not know (the lock, the view) are
  // left out.
  [[nodiscard]] Result<coord::DiskImage> read_image() const;

 private:
  DataDir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_ = -1;
};

inline constexpr std::string_view kLockFile = "lock";
inline constexpr std::string_view kViewFile = "view.json";
inline constexpr std::string_view kObserverIdFile = "observer-id";
inline constexpr std::string_view kVotersFile = "voters";

}  // namespace ringside::disk
