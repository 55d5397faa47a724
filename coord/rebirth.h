// A ring that lost its quorum for good begins anew from what one voter still has (`ring recover`):
// the whole log of that member, committed or not, becomes the state of a new birth (D17).
//
// Called by the command line's part of sidecar/app, with the directory locked and no member
// running. Pure: it reads an image and gives the operations, to be carried out in order. Crash-safe
// at each of them: until the manifest is renamed the old history is in force, from then on the new
// one; what is left over either way goes at the next start.
//
// What a person must know before: entries that only this member holds become true, and what only
// the others had is lost for good. The other voters must be wiped: they are of another birth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "config/base/error.h"
#include "coord/storage/disk_port.h"
#include "coord/storage/storage.h"
#include "coord/zab/types.h"

namespace ringside::coord {

struct Rebirth {
  std::vector<DiskOp> ops;

  // What it found.
  BirthId birth;  // the old one
  Epoch accepted_epoch;
  Epoch current_epoch;
  Zxid last;                           // the new ring begins with the state after this
  Zxid commit_point;                   // known to be committed up to here...
  std::uint64_t beyond_committed = 0;  // ...and so many after it are perhaps not
  std::string doubt;                   // not empty: something that was durable here is gone
  std::size_t znodes = 0;
  std::size_t sessions = 0;
};

// `fresh` is a birth never used before, and not 0. Errors: kNotFound: there is no history here;
// kCorrupt: it cannot be applied; and those of Storage::recover.
Result<Rebirth> rebirth(const StorageOptions& options, const DiskImage& image, BirthId fresh);

// For the operator, one fact a line.
std::string describe(const Rebirth& found);

}  // namespace ringside::coord
