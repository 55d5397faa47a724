#include "config/base/nearest.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ringside {

namespace {

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  if (a.size() > kMaxWordBytes || b.size() > kMaxWordBytes) {
    return kMaxWordBytes + 1;
  }
  using Row = std::array<std::size_t, kMaxWordBytes + 1>;
  Row before{};  // two rows up, for swaps
  Row above{};
  Row row{};
  for (std::size_t j = 0; j <= b.size(); ++j) {
    above[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before = above;
    above = row;
  }
  return above[b.size()];
}

std::string nearest(std::string_view word, std::span<const std::string_view> candidates) {
  std::vector<std::string> words = nearest_words(word, candidates, 1);
  return words.empty() ? std::string() : std::move(words.front());
}

std::vector<std::string> nearest_words(std::string_view word,
                                       std::span<const std::string_view> candidates,
                                       std::size_t count) {
  const std::size_t limit = std::max<std::size_t>(2, word.size() / 3);
  std::vector<std::pair<std::size_t, std::size_t>>
      near;  // distance, index: equals keep their order
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::size_t distance = edit_distance(word, candidates[i]);
    // A distance of a whole word's length says nothing: every letter would be another one.
    if (distance <= std::min(limit, kMaxWordBytes) &&
        distance < std::max(word.size(), candidates[i].size())) {
      near.emplace_back(distance, i);
    }
  }
  std::ranges::sort(near);
  near.resize(std::min(near.size(), count));
  std::vector<std::string> words;
  for (const auto& [distance, index] : near) {
    words.emplace_back(candidates[index]);
  }
  return words;
}

}  // namespace ringside
