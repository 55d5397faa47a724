// A data directory in memory that knows what a power cut may take: bytes not synced, and names not
// made durable by SyncDirectory.
//
// Used by the simulator and by the unit tests of coord/storage. Models a POSIX file system at its
// least helpful: changes of names survive in any combination (those of one name in order), a file
// that was not synced keeps any part of its new bytes. Synced bytes are never overwritten but
// by themselves: our formats do not do so, and apply() throws if they did. After a sync that failed
// the bytes are read as before, later syncs pass, and none of these bytes reaches the disk unless
// they are written again (as ext4 and XFS have it: Rebello et al., ATC 2020).
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/base/error.h"
#include "coord/storage/disk_port.h"

namespace ringside::sim {

// How a power cut treats what was not durable.
struct Loss {
  // For each change of names since the last SyncDirectory, oldest first: did it reach the disk?
  std::function<bool()> name_survives;
  // Changes `bytes`, of which the first `synced` are safe, into what is read after the cut.
  std::function<void(Bytes& bytes, std::size_t synced)> tear;
};

class ForgetfulDisk {
 public:
  ForgetfulDisk() = default;
  ForgetfulDisk(const ForgetfulDisk& other);  // a disk of its own, as it stands
  ForgetfulDisk& operator=(const ForgetfulDisk& other);
  ForgetfulDisk(ForgetfulDisk&&) = default;
  ForgetfulDisk& operator=(ForgetfulDisk&&) = default;
  ~ForgetfulDisk() = default;

  void apply(const coord::DiskOp& op);
  // The file that `op` works on is there, and the blocks it needs; apply() throws else.
  [[nodiscard]] Status can(const coord::DiskOp& op) const;
  // Blocks in use: of each file those written or taken ahead.
  [[nodiscard]] std::uint64_t used() const;
  // No more than so many from now on.
  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
  // A write of which only the first `bytes` were handed to the operating system.
  void apply_partly(const coord::WriteAt& write, std::size_t bytes);
  // The process dies and the machine lives on: nothing is lost, nothing more is durable.
  [[nodiscard]] coord::DiskImage image() const;
  void power_cut(const Loss& loss);
  // A sync of the file fails: what it was to make durable stays in memory alone, and looks durable.
  void fail_sync(const std::string& file);
  // What no power cut can take.
  [[nodiscard]] coord::DiskImage durable_image() const;
  void wipe();
  // The file and its durable name are gone, as after the repair of a file system.
  void lose(const std::string& file);

  [[nodiscard]] bool has(const std::string& file) const { return names_.contains(file); }
  // For tests that damage a file.
  Bytes& bytes_of(const std::string& file) { return names_.at(file)->bytes; }

 private:
  static constexpr std::size_t kNothing = std::numeric_limits<std::size_t>::max();
  struct File {
    Bytes bytes;
    std::size_t synced = 0;          // no sync writes what is before it
    std::size_t missing = kNothing;  // the disk has nothing from there on, synced or not
    std::uint64_t taken = 0;         // blocks, if more than its bytes

    [[nodiscard]] std::size_t durable() const { return std::min(synced, missing); }
    [[nodiscard]] std::uint64_t blocks() const {
      return std::max<std::uint64_t>(bytes.size(), taken);
    }
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;
  struct NameChange {  // `file` null: removed; a rename is a removal and an addition at once
    std::string name;
    std::shared_ptr<File> file;
    std::string removed;
  };

  [[nodiscard]] Status fits(const std::string& file, std::uint64_t end) const;
  static void change(Names& names, const NameChange& change);
  void change_now(NameChange change);
  void do_op(const coord::CreateFile& op);
  void do_op(const coord::WriteAt& op);
  void do_op(const coord::SyncFile& op);
  void do_op(const coord::RenameFile& op);
  void do_op(const coord::RemoveFile& op);
  void do_op(const coord::SyncDirectory& op);
  void do_op(const coord::AllocateFile& op);
  void do_op(const coord::TrimFile& op);

  Names names_;
  Names durable_names_;
  std::vector<NameChange> pending_;
  std::uint64_t capacity_ = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace ringside::sim
