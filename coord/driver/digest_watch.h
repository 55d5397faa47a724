// Compares this member's tree digests with its leader's (D13). Pure; owned by the driver.
//
// Keeps the digests after the last kKept transactions; a leader's word about a later one waits
// until this member has applied that far (only the latest word is kept).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "coord/zab/types.h"

namespace ringside::coord {

struct Digest {
  Zxid zxid;
  std::uint64_t value = 0;
};

class DigestWatch {
 public:
  static constexpr std::size_t kKept = 4096;

  // The state was replaced as a whole.
  void reset(Digest own);
  // Both give this member's digest where it differs from the leader's of the same zxid.
  std::optional<Digest> applied(Digest own);
  std::optional<Digest> heard(Digest leaders);

 private:
  std::deque<Digest> own_;
  std::optional<Digest> awaited_;
};

}  // namespace ringside::coord
