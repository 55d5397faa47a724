// What a member's disk would hold if the power went now and took all that it may take: the end of
// the durable history and the epochs promised. The rules judge a member's words by it.
//
// Owned by SimDisk. Records are followed as they are written and synced; after anything that
// changes which files count (a manifest, a crash, damage) the production recovery reads the durable
// part of the directory anew, when somebody asks.
#pragma once

#include <map>
#include <set>
#include <string>

#include "coord/zab/types.h"
#include "tests/sim/forgetful_disk.h"

namespace ringside::sim {

struct DurableState {
  coord::Zxid last;
  coord::Epoch accepted;
  coord::Epoch current;
};

class DurableLog {
 public:
  DurableLog(std::string ring_name, coord::MemberId member)
      : ring_name_(std::move(ring_name)), member_(member) {}

  // The disk has done `op`. Throws Violation on a gap in a log file (D5).
  void done(const coord::DiskOp& op);
  // The files are others than before.
  void forget() {
    stale_ = true;
    written_.clear();
    unnamed_.clear();
    manifest_renamed_ = false;
  }
  const DurableState& state(const ForgetfulDisk& files);

 private:
  void written(const coord::WriteAt& write);
  void read_anew(const ForgetfulDisk& files);

  std::string ring_name_;
  coord::MemberId member_;
  bool stale_ = true;
  DurableState state_;
  bool manifest_renamed_ = false;               // and the directory not synced since
  std::set<std::string> unnamed_;               // made since a durable manifest
  std::map<std::string, coord::Zxid> written_;  // log file -> end of what was written to it
};

}  // namespace ringside::sim
