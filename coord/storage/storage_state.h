// The writing half of Storage: turns calls into disk operations and keeps the position in the log
// as it will be once everything submitted is done. Included by the room's sources only.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "coord/storage/outbox.h"
#include "coord/storage/recovery.h"
#include "coord/storage/room.h"
#include "coord/storage/snapshot_files.h"
#include "coord/storage/storage.h"

namespace ringside::coord {

struct Storage::State {
  StorageOptions options;
  DiskPort& port;
  bool recovered = false;
  bool fenced = false;
  std::uint64_t last_batch = 0;
  Manifest manifest;
  LogPosition at;
  SnapshotFiles snapshots;
  struct SideWork {
    SnapshotFileId file;  // 0: of none
    bool seals = false;
    bool syncs_names = false;
  };
  std::map<DiskBatchId, SideWork> side_work;  // under way in the side lane
  // What is done once that batch is: files that the manifest it made durable no longer names go,
  // and segments that it closed give back what they did not use.
  struct After {
    std::vector<std::string> remove;
    std::vector<std::string> trim;
  };
  std::map<DiskBatchId, After> after;
  Room room;
  Outbox outbox;
  Needs needs;                      // of the batch that is being put together
  std::vector<std::string> closed;  // segments, by it
  std::uint64_t open_bytes = 0;     // blocks of the open segment, once the outbox is empty

  State(StorageOptions storage_options, DiskPort& disk);

  DiskBatchId submit(std::vector<DiskOp> ops);
  // Before whatever waits for room (Outbox::push_first).
  DiskBatchId submit_first(std::vector<DiskOp> ops, const Manifest& after_it,
                           const std::function<void(Manifest&)>& changed);
  DiskBatchId submit_side(std::vector<DiskOp> ops, SideWork work);
  void tidy(const After& files);
  void remove_after(DiskBatchId batch, std::vector<std::string> files);
  DiskOutcome side_done(const SideWork& work, const Status& status);

  // Everything before it in `ops` is durable, names included, before the manifest counts on it.
  void replace_manifest(std::vector<DiskOp>& ops);
  // Of at.log_bytes, those that a snapshot of `zxid` makes superfluous; about: a record that holds
  // it counts wholly as later, and those below the commit point have no marks any more.
  [[nodiscard]] std::uint64_t log_bytes_up_to(Zxid zxid) const;
  // A whole snapshot file gets its own name; the caller makes it the base of a manifest.
  ManifestSnapshot take_snapshot(std::vector<DiskOp>& ops, SnapshotFileId file);
  // A segment of its own for `entries`; it counts once a manifest that names it is durable.
  void begin_segment(std::vector<DiskOp>& ops, std::span<const Entry> entries, Zxid acknowledged);
  // Whether `entries` fit into the blocks of the open segment.
  [[nodiscard]] bool fits_open(std::span<const Entry> entries) const;
  void close_open();
  // Behind the end of the open segment. Each record is synced before the next is written, so that
  // at most one can be torn.
  void continue_segment(std::vector<DiskOp>& ops, std::span<const Entry> entries,
                        Zxid acknowledged);

  // Ends the history at `keep_until` (in memory; a manifest makes it so). Returns the files that
  // it no longer needs.
  std::vector<std::string> cut(Zxid keep_until);
  std::vector<std::string> drop_segments_from(std::size_t index);
  void raise_commit_point(Zxid commit_point);
  void forget_marks_of_dropped_segments();

 private:
  void encode_records(Bytes& out, ManifestSegment& to, std::span<const Entry> entries,
                      Zxid acknowledged);
};

}  // namespace ringside::coord
