// What `ring recover` would come to, or has come to (/v1/ring/recover). Values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "config/base/time.h"
#include "coord/zab/types.h"
#include "sidecar/admin/trouble.h"

namespace ringside::admin {

// For the answer: a large history is read twice and written once. Who asks waits longer than that.
inline constexpr milliseconds kRecoveryLimit{300'000};
inline constexpr milliseconds kRecoveryPatience = kRecoveryLimit + seconds{30};

struct RecoveryView {
  bool done = false;
  coord::MemberId id;        // whose history it is
  coord::BirthId birth;      // the one that ends, or (done) the new one
  coord::Zxid last;          // the ring goes on after this
  coord::Zxid commit;        // known to be committed up to here
  std::uint64_t beyond = 0;  // so many after it may never have been, and become true
  std::size_t znodes = 0;
  std::size_t sessions = 0;
  std::string damage;                   // what is known to be lost of this disk; empty: nothing
  std::string unfinished;               // done on disk, but why not in force here; empty: it is
  std::vector<std::string> voters;      // that the ring will have, by the settings
  std::vector<std::string> old_voters;  // that it had
};

using RecoveryAnswer = std::variant<RecoveryView, Trouble>;

std::string recovery_json(const RecoveryView& view);

}  // namespace ringside::admin
