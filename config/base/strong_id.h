// StrongId<Tag>: numbers of different meaning that do not mix. `using MemberId = StrongId<struct
// MemberIdTag>;`
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace ringside {

template <typename Tag, typename Number = std::uint64_t>
struct StrongId {
  Number value{};

  constexpr StrongId() = default;
  constexpr explicit StrongId(Number number) : value(number) {}
  constexpr auto operator<=>(const StrongId&) const = default;
  constexpr explicit operator bool() const { return value != Number{}; }
};

}  // namespace ringside

template <typename Tag, typename Number>
struct std::hash<ringside::StrongId<Tag, Number>> {
  std::size_t operator()(const ringside::StrongId<Tag, Number>& id) const noexcept {
    return std::hash<Number>{}(id.value);
  }
};
