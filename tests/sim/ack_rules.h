// Legality of acknowledgements (D2), of all that members say: within an attachment an ack of a
// proposal comes only after that of NEWLEADER, and acks only grow. Pure: frames in, a Violation
// out.
#pragma once

#include <map>
#include <utility>

#include "config/base/bytes.h"
#include "coord/zab/types.h"
#include "tests/sim/trace.h"

namespace ringside::sim {

class AckRules {
 public:
  // `message`: index in coord::Message; frames of other kinds are passed over.
  void sent(coord::MemberId from, std::size_t message, ByteView payload);

 private:
  // By member and run of its latest attachment: up to where it has acknowledged.
  std::map<coord::MemberId, std::pair<std::uint64_t, coord::Zxid>> acknowledged_;
};

}  // namespace ringside::sim
