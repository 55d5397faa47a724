// The known words that a mistyped one probably meant: for unknown keys, policies and service names.
//
// Pure functions, any thread. The word may come from outside and have any length: past
// kMaxWordBytes nothing is near, so the cost per candidate is bounded. Distance: insertions,
// deletions, replacements and swaps of neighbours (Damerau 1964, the "optimal string alignment"
// form), letters of both cases being equal.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringside {

inline constexpr std::size_t kMaxWordBytes = 64;

// How many edits lead from a to b; both at most kMaxWordBytes long, else kMaxWordBytes + 1.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest candidate, the first of equals; empty when none is within a third of the word's
// length (2 edits at least).
std::string nearest(std::string_view word, std::span<const std::string_view> candidates);

// At most `count` near candidates, nearest first, equals in the order given.
std::vector<std::string> nearest_words(std::string_view word,
                                       std::span<const std::string_view> candidates,
                                       std::size_t count);

}  // namespace ringside
