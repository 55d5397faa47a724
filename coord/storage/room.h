// Blocks of the disk that are taken before they are needed, so that nothing in the log's lane finds
// the disk full: a spare file for the next segment, a few for manifests (they are the reserve: on a
// full disk epochs can still be written), and what the open segment lacked when the member started.
// Part of Storage; included by the room's sources only. Pure: it works through the side lane.
//
//   wanted ── made (create, allocate) ──▶ ready ── taken: renamed into place by the log's lane
//      ▲                 └── failed: short_of_room() says why, tried again after a second ──┐
//      └────────────────────────────────────────────────────────────────────────────────────┘
//
// What needs a spare that is not ready waits (outbox.h): it is neither done nor failed.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "config/base/error.h"
#include "config/base/time.h"
#include "coord/storage/disk_port.h"

namespace ringside::coord {

inline constexpr const char* kSparePrefix = "spare.";
inline constexpr std::size_t kSpareManifests = 4;
inline constexpr std::uint64_t kManifestBytes = 16U << 10U;
inline constexpr seconds kRetryRoom{1};
// Of a failure that is no want of room: tries in a row, each kRetryRoom after the one before, until
// it counts as one.
inline constexpr int kFailedRounds = 5;

class Room {
 public:
  using SubmitSide = std::function<DiskBatchId(std::vector<DiskOp>)>;
  Room(std::uint64_t segment_bytes, SubmitSide submit);

  // The open segment as found at the start: nobody knows how many blocks it has.
  void adopt_open(std::string file, std::uint64_t bytes);
  // It is closed or gone: it needs no blocks any more.
  void forget(const std::string& file);
  // False while the blocks of `file` are not taken.
  [[nodiscard]] bool has_open(const std::string& file) const { return open_.file != file; }

  // Whether a spare of at least so many bytes is ready; asks for one if not.
  bool has_segment(std::uint64_t bytes);
  bool has_manifest(std::uint64_t bytes);
  // The file to rename into place; needs has_segment or has_manifest of as many bytes.
  std::string take_segment();
  std::string take_manifest();

  // A batch of the side lane is done. False: it was none of this room's.
  bool done(DiskBatchId batch, const Status& status);
  void tend(Instant now);
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] const std::string& shortage() const { return shortage_; }

 private:
  struct Spare {
    std::string file;  // empty: not made yet
    std::uint64_t wanted = 0;
    std::uint64_t bytes = 0;  // taken; 0: not ready
    DiskBatchId batch;        // takes...
    std::uint64_t asked = 0;  // ...so many
  };

  void make_all();
  void make(Spare& spare);
  [[nodiscard]] bool all_ready() const;
  std::vector<Spare*> all();

  std::uint64_t segment_bytes_;
  SubmitSide submit_;
  std::uint64_t last_number_ = 0;
  Spare segment_;
  std::list<Spare> manifests_;
  Spare open_;  // no file: nothing is lacking
  std::string shortage_;
  bool waiting_ = false;  // after a failure
  int failed_rounds_ = 0;
  std::optional<Instant> retry_at_;
};

}  // namespace ringside::coord
