// A snapshot on its way in: each chunk is read into a registry and, on a voter, written to a file
// of its own, as it comes. Pure; owned by the driver (transfers.cc), one at a time.
//
//   receiving ─ last chunk ─▶ finishing (in slices) and sealing ─ both done ─▶ whole()
//       └─────────── its bytes are bad, or the disk fails ──────▶ failed()
//
// D6: neither the file nor the registry counts before Zab switches to it. Whoever ends this earlier
// calls drop_file(). No memory is taken on the word of a number: it grows by what has come, and the
// sender's window bounds what waits for the disk.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "config/base/error.h"
#include "coord/registry/snapshot_loader.h"
#include "coord/storage/storage.h"
#include "coord/zab/following.h"

namespace ringside::coord {

class SnapshotReceiver {
 public:
  // `storage` null: on an observer.
  SnapshotReceiver(const SnapshotWanted& wanted, std::uint64_t token, Storage* storage);

  [[nodiscard]] const SnapshotWanted& wanted() const { return wanted_; }
  [[nodiscard]] std::uint64_t token() const { return token_; }

  // An error: the sender broke the protocol, or its bytes are no snapshot.
  Status add(SnapshotChunk chunk);
  // Works on about so many nodes. An error: the bytes were no snapshot after all.
  Status work(std::size_t nodes);
  // work() has something to do.
  [[nodiscard]] bool busy() const { return complete_ && !loaded_ && !failed_; }
  // False: the batch is not of this one.
  bool on_disk_done(DiskBatchId id, const Status& status);
  // Gives up, as what it was for cannot be: nothing more is taken or written.
  void give_up(std::string reason);
  [[nodiscard]] const std::optional<std::string>& failed() const { return failed_; }
  // Loaded, checked and, on a voter, sealed.
  [[nodiscard]] bool whole() const;
  // What can be acknowledged by now and was not yet.
  std::optional<SnapshotAck> take_ack();

  [[nodiscard]] std::optional<SnapshotFileId> file() const { return file_; }
  void drop_file();
  // It is Zab's: the switch is on its way to the disk, and nothing ends it any more.
  void begin_switch() { switching_ = true; }
  [[nodiscard]] bool switching() const { return switching_; }
  [[nodiscard]] std::uint64_t bytes() const { return received_; }
  // Once whole(), or to free it.
  [[nodiscard]] std::optional<Registry>& registry() { return registry_; }
  [[nodiscard]] SnapshotLoader& loader() { return loader_; }

 private:
  SnapshotWanted wanted_;
  std::uint64_t token_;
  Storage* storage_;
  std::optional<SnapshotFileId> file_;
  SnapshotLoader loader_;
  std::optional<Registry> registry_;
  std::uint64_t received_ = 0;
  std::uint64_t kept_ = 0;                                     // received and, on a voter, on disk
  std::uint64_t told_ = 0;                                     // acknowledged
  std::deque<std::pair<DiskBatchId, std::uint64_t>> writing_;  // parts, and where they end
  std::optional<DiskBatchId> sealing_;
  bool complete_ = false;  // the last chunk is in
  bool loaded_ = false;
  bool sealed_ = false;
  bool switching_ = false;
  std::optional<std::string> failed_;
};

}  // namespace ringside::coord
