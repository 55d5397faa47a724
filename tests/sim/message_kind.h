// The place of a message in coord::Message, at compile time.
#pragma once

#include <cstddef>
#include <type_traits>
#include <variant>

#include "coord/zab/messages.h"

namespace ringside::sim {

template <typename Kind, std::size_t at = 0>
consteval std::size_t kind() {
  if constexpr (std::is_same_v<std::variant_alternative_t<at, coord::Message>, Kind>) {
    return at;
  } else {
    return kind<Kind, at + 1>();
  }
}

}  // namespace ringside::sim
