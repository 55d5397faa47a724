// The quantities of the ring, as types that do not mix.
//
// Used by every part of coord and by sidecar/. Values.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "config/base/bytes.h"
#include "config/base/strong_id.h"
#include "coord/mutant.h"

namespace ringside::coord {

// A member of the ring. Voters have 1..255; an observer draws one of 2^32 and more, so that of two
// members the one with the greater id dials.
using MemberId = StrongId<struct MemberIdTag>;
inline constexpr std::uint64_t kMaxVoterId = 255;
inline constexpr std::uint64_t kMinObserverId = std::uint64_t{1} << 32U;

// Number of a leader's reign. 24 bits in a zxid; clients compare zxids as signed numbers, so 2^23 -
// 1 is the last (D18).
using Epoch = StrongId<struct EpochTag, std::uint32_t>;
inline constexpr std::uint32_t kMaxEpoch = (1U << 23U) - 1;

// Random name of a ring, drawn once when it is born; zxids compare within one birth only (D17). 0:
// not born yet.
using BirthId = StrongId<struct BirthIdTag>;

using SessionId = StrongId<struct SessionIdTag>;

// Identifies a transaction and its place in the total order: epoch in the upper 24 bits, counter in
// the lower 40.
struct Zxid {
  std::uint64_t packed = 0;

  static constexpr unsigned kCounterBits = 40;
  static constexpr std::uint64_t kMaxCounter = (std::uint64_t{1} << kCounterBits) - 1;

  constexpr Zxid() = default;
  constexpr explicit Zxid(std::uint64_t raw) : packed(raw) {}
  constexpr Zxid(Epoch epoch, std::uint64_t counter)
      : packed((std::uint64_t{epoch.value} << kCounterBits) | counter) {}

  [[nodiscard]] constexpr Epoch epoch() const {
    return Epoch{static_cast<std::uint32_t>(packed >> kCounterBits)};
  }
  [[nodiscard]] constexpr std::uint64_t counter() const { return packed & kMaxCounter; }
  // The one that follows in the same epoch; needs counter() < kMaxCounter.
  [[nodiscard]] constexpr Zxid next() const { return Zxid{packed + 1}; }
  // May `this` stand right after `before` in a log: last + 1, or the first of a later epoch (D5).
  [[nodiscard]] constexpr bool follows(Zxid before) const {
    return packed == before.packed + 1 || (epoch() > before.epoch() && counter() == 1) ||
           (packed > before.packed && mutated(Mutant::kZk4925HolePassedOn));
  }
  constexpr auto operator<=>(const Zxid&) const = default;
  // "0x…" as users and JSON see it.
  [[nodiscard]] std::string to_string() const;
};

// One transaction in a log. The bytes are shared between log, links and apply; nobody changes them.
struct Entry {
  Zxid zxid;
  std::shared_ptr<const Bytes> txn;
};

// What a member is doing (product.md: the `role` of /v1/ring and of the metric).
enum class Role { kLooking, kFollowing, kLeading, kObserving };
const char* to_string(Role role);  // looking, following, leading, observing

}  // namespace ringside::coord

template <>
struct std::hash<ringside::coord::Zxid> {
  std::size_t operator()(const ringside::coord::Zxid& zxid) const noexcept {
    return std::hash<std::uint64_t>{}(zxid.packed);
  }
};
