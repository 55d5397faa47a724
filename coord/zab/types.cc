#include "coord/zab/types.h"

#include <fmt/format.h>

namespace ringside::coord {

std::string Zxid::to_string() const {
  return fmt::format("{:#x}", packed);
}

const char* to_string(Role role) {
  switch (role) {
    case Role::kLooking: return "looking";
    case Role::kFollowing: return "following";
    case Role::kLeading: return "leading";
    case Role::kObserving: return "observing";
  }
  return "unknown";
}

}  // namespace ringside::coord
