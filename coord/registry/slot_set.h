// A set of slots, one bit each: copying the one of a million nodes takes microseconds. Value.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "coord/registry/node.h"

namespace ringside::coord {

class SlotSet {
 public:
  void insert(Slot slot) {
    const std::size_t word = slot.value / kBits;
    if (word >= words_.size()) {
      words_.resize(word + 1);
    }
    words_[word] |= bit(slot);
  }
  void erase(Slot slot) {
    if (slot.value / kBits < words_.size()) {
      words_[slot.value / kBits] &= ~bit(slot);
    }
  }
  [[nodiscard]] bool contains(Slot slot) const {
    return slot.value / kBits < words_.size() && (words_[slot.value / kBits] & bit(slot)) != 0;
  }
  // The least member that is not below `slot`.
  [[nodiscard]] std::optional<Slot> from(Slot slot) const {
    std::size_t word = slot.value / kBits;
    if (word >= words_.size()) {
      return std::nullopt;
    }
    std::uint64_t bits = words_[word] & ~(bit(slot) - 1);
    while (bits == 0) {
      if (++word == words_.size()) {
        return std::nullopt;
      }
      bits = words_[word];
    }
    return Slot{static_cast<std::uint32_t>(word * kBits) +
                static_cast<std::uint32_t>(std::countr_zero(bits))};
  }
  [[nodiscard]] std::size_t count() const {
    std::size_t count = 0;
    for (const std::uint64_t word : words_) {
      count += static_cast<std::size_t>(std::popcount(word));
    }
    return count;
  }

 private:
  static constexpr std::size_t kBits = 64;
  static std::uint64_t bit(Slot slot) { return std::uint64_t{1} << (slot.value % kBits); }

  std::vector<std::uint64_t> words_;
};

}  // namespace ringside::coord
