#include "config/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace ringside::config {

namespace {

bool within(std::string_view key, std::string_view block) {
  return key.size() > block.size() && key.starts_with(block) && key[block.size()] == '.';
}

}  // namespace

std::string Problem::to_string() const {
  return line > 0 ? fmt::format("{}:{}:{}: {}", file, line, column, message)
                  : fmt::format("{}: {}", file, message);
}

Place Report::place_of(std::string_view key) const {
  while (!key.empty()) {
    if (const auto found = places_.find(key); found != places_.end()) {
      return found->second;
    }
    const std::size_t dot = key.rfind('.');
    key = dot == std::string_view::npos ? std::string_view() : key.substr(0, dot);
  }
  return Place{source_, first_line_, first_line_};
}

void Report::add(const Place& place, std::string_view key, std::string_view message) {
  if (full()) {
    ++left_out_;
    return;
  }
  bad_.emplace(key);
  const bool named = key.empty() || (place.source.starts_with("--") && place.source.ends_with(key));
  Problem problem{std::string(place.source), place.line, place.column,
                  named ? std::string(message) : fmt::format("{}: {}", key, message)};
  // The file first, then the command line in its order.
  const auto order = [this](const Problem& one) {
    return std::tuple(one.file != source_, one.line, one.column);
  };
  problems_.insert(std::ranges::upper_bound(problems_, order(problem), {}, order),
                   std::move(problem));
}

bool Report::sound(std::string_view key) const {
  return std::ranges::none_of(bad_, [key](const std::string& bad) {
    return bad == key || within(bad, key) || within(key, bad);
  });
}

std::vector<Problem> Report::take() {
  if (left_out_ > 0) {
    Problem last = problems_.back();
    last.message = fmt::format("and {} more problems", left_out_);
    problems_.push_back(std::move(last));
  }
  return std::exchange(problems_, {});
}

}  // namespace ringside::config
