// The durable side of one member: manifest, segmented log, snapshots. Pure: it turns what Zab wants
// persisted into DiskBatches and turns a directory's bytes back into a history.
//
// Owned and called by the driver, on its one thread. Every call that persists submits one batch to
// the DiskPort's log lane and returns its id; the work is durable when that batch has completed,
// and batches complete in order, but for adopt_snapshot(), which goes before what waits for room.
// What is only a precaution goes by the side lane and may fail
// without harm: snapshot files until they are adopted, the removal of what is not needed, and the
// blocks that are taken ahead. What lacks blocks waits for them: a full disk delays a call and
// never fails it.
//
// Files (formats in coord/codec/FORMATS.md, each with a version):
//   manifest            the only truth about what belongs to the history: ring name, birth id,
//   member
//                       id, accepted_epoch, current_epoch, commit point, a doubt not yet healed,
//                       the snapshot in force and the log segments, each with the end that counts.
//                       Replaced as a whole: temp, sync, rename, directory sync.
//   log.NNNNNNNN        records of entries: length, chained CRC-32C, previous zxid, the commit
//   point
//                       known when written and the end of what had been acknowledged before (D15,
//                       D16).
//   snap.ZXID-NNNNNNNN  committed state at exactly that zxid (D11), checked as a whole. Written in
//                       parts under the name snap.ZXID-NNNNNNNN.part, which counts for nothing; it
//                       gets its own name when a manifest adopts it.
//
// Invariants: D3 (a history switch is one manifest), D4 (accepted_epoch durable before a promise),
// D5 (gap-free), D6 (staged files count for nothing until the manifest names them), D7, D9 (after a
// failed batch nothing is submitted again), D16. A call that breaks one is a bug of the caller and
// ends in a CHECK; bytes from disk never do.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/base/error.h"
#include "config/base/time.h"
#include "coord/storage/disk_port.h"
#include "coord/zab/types.h"

namespace ringside::coord {

inline constexpr std::size_t kSnapshotSyncBytes = 4U << 20U;
inline constexpr std::uint64_t kSegmentBytes = 16U << 20U;

struct StorageOptions {
  std::string ring_name;
  MemberId member;
  std::uint64_t segment_bytes = kSegmentBytes;  // a new segment begins when one is full
};

using SnapshotFileId = StrongId<struct SnapshotFileTag>;

struct StoredSnapshot {
  Zxid zxid;  // state after this transaction; Zxid{} for the empty beginning
  std::shared_ptr<const Bytes> bytes;  // as Registry::snapshot() made them
};

// What a directory comes to.
struct Recovered {
  // Never held a history: an empty directory, or a manifest with promises (birth, accepted_epoch)
  // alone, so that a wiped member that promised an epoch and crashed is still seen as wiped (D16).
  bool fresh = false;
  // D16: may have acknowledged what is no longer here, so it must not vote by itself. Kept on disk
  // until switch_history, or until save_epochs raises current_epoch; current_epoch is lowered to
  // the epoch of what is left.
  bool in_doubt = false;
  std::string doubt_reason;  // for the log, when in_doubt
  BirthId birth;
  Epoch accepted_epoch;
  Epoch current_epoch;
  std::optional<StoredSnapshot> snapshot;  // the base of `log`
  std::vector<Entry>
      log;            // gap-free from the snapshot's successor; may begin earlier (kept for DIFF)
  Zxid commit_point;  // committed for sure (D15); the rest is history, not state
};

// A history that replaces the member's own at the end of synchronization.
struct NewHistory {
  // Sealed, and that batch is done. Set: everything before is dropped (SNAP).
  std::optional<SnapshotFileId> snapshot;
  Zxid keep_until;  // without a snapshot: own entries up to and including this stay (TRUNC, DIFF)
  std::vector<Entry> entries;  // what follows
  Zxid commit_point;
  BirthId birth;
  Epoch accepted_epoch;
  Epoch current_epoch;
};

// What a completion comes to.
enum class DiskOutcome {
  kDone,
  kSideFailed,  // a precaution failed: a snapshot file that it belongs to is dropped
  kFenced,      // D9
};

class Storage {
 public:
  Storage(StorageOptions options, DiskPort& port);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  // Reads a directory's bytes; call once, first. Errors (kCorrupt, kRefused) are for what a person
  // must look at: another ring's or member's files, a format version from the future. Damage that
  // the ring can heal is `in_doubt`, never an error. Submits what tidying is needed (writing and
  // syncing anew what a process before may not have made durable, then removing files that the
  // manifest does not name; none while in doubt).
  Result<Recovered> recover(const DiskImage& image);

  // Writes a first manifest (birth may still be 0) or changes epochs alone. Needs accepted >=
  // current, neither ever falling.
  DiskBatchId save_epochs(BirthId birth, Epoch accepted_epoch, Epoch current_epoch);

  // Appends entries (gap-free, D5) in one batch with one fdatasync. `commit_point` and
  // `acknowledged` go into the batch.
  DiskBatchId append(std::span<const Entry> entries, Zxid commit_point, Zxid acknowledged);

  // D3, D6: writes entries to a file of their own, then switches them and the snapshot in with one
  // manifest. Nothing of it counts after a crash before the batch completed; all of it after.
  DiskBatchId switch_history(NewHistory history);

  // --- snapshot files, in the side lane (except adopt_snapshot)
  // Begins a file for the state at `zxid` (D11). It counts for nothing until it is adopted or
  // switched in (D6), and is removed at the next start. Several may be under way.
  SnapshotFileId begin_snapshot(Zxid zxid);
  // The next part of the state: a few MiB at most. Synced every kSnapshotSyncBytes, so that no sync
  // holds up the disk for long. A file that failed or was dropped takes no more: DiskBatchId{}.
  DiskBatchId add_to_snapshot(SnapshotFileId file, std::shared_ptr<const Bytes> part);
  // Nothing more follows; it may be adopted once this batch is done.
  DiskBatchId seal_snapshot(SnapshotFileId file);
  // Gives it up: always allowed, also when it failed or is there no more.
  void drop_snapshot(SnapshotFileId file);
  // A sealed one becomes the base (as a precaution; log lane, one manifest). Drops log segments and
  // snapshots no longer needed (the one before is kept until the new one is durable including its
  // name). `keep_entries_from`: entries from here on stay readable for DIFF.
  DiskBatchId adopt_snapshot(SnapshotFileId file, Zxid keep_entries_from);

  // Feed every completion of the port, in order within each lane. kFenced is final (D9): fenced()
  // from then on and every later call is a no-op that returns id 0.
  DiskOutcome on_disk_done(DiskBatchId id, const Status& status);
  [[nodiscard]] bool fenced() const;

  // --- room on the disk
  // Takes blocks ahead of need; call it in every turn, and at next_deadline().
  void tend(Instant now);
  [[nodiscard]] Instant next_deadline() const;
  // Empty: there is room for what comes. Else why not: the member must step down and let others
  // lead; it resumes when this is empty again.
  [[nodiscard]] std::string short_of_room() const;

  // Bytes appended to the log since the snapshot in force: the driver takes the next one by it.
  [[nodiscard]] std::uint64_t log_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringside::coord
