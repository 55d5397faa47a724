// What is shown of a drain (/v1/drain). Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "coord/zab/types.h"
#include "sidecar/admin/trouble.h"

namespace ringside::admin {

enum class DrainState : std::uint8_t { kServing, kDraining, kDrained };
const char* to_string(DrainState state);  // "serving", "draining", "drained"

struct DrainView {
  struct Behind {  // a sidecar that may still send here
    coord::MemberId member;
    std::string address;  // where known
    coord::SessionId session;
    coord::Zxid routed;
  };

  DrainState state = DrainState::kServing;
  bool stopping = false;  // the process ends: it cannot be undone
  double since_seconds = 0;
  bool acknowledged = false;        // nobody sends here any more, or the wait for that is over
  std::optional<coord::Zxid> zxid;  // that must be routed everywhere
  std::vector<Behind> behind;
  std::int64_t in_flight = 0;  // exchanges of the inbound port
  std::string detail;          // what it waits for or went by; empty: nothing to say
};

using DrainAnswer = std::variant<DrainView, Trouble>;

std::string drain_json(const DrainView& view);

}  // namespace ringside::admin
