#include "tests/drills/load/message.h"

#include <strings.h>

#include <algorithm>
#include <charconv>

namespace ringside::drill {

std::size_t to_number(std::string_view text, std::size_t otherwise) {
  std::size_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stopped == end && !text.empty() ? value : otherwise;
}

void Message::clear() {
  state_ = State::kHead;
  head_.clear();
  body_.clear();
  length_ = 0;
}

Message::State Message::feed(std::string_view& bytes) {
  if (state_ == State::kHead && !bytes.empty()) {
    const std::size_t had = head_.size();
    head_ += bytes;
    // The empty line may have begun in what was there before.
    const std::size_t end = head_.find("\r\n\r\n", had < 3 ? 0 : had - 3);
    if (end == std::string::npos) {
      bytes = {};
      return state_ = head_.size() > kHeadMost ? State::kBad : State::kHead;
    }
    bytes.remove_prefix(end + 4 - had);
    head_.resize(end + 4);
    state_ = end_of_head();
  }
  if (state_ == State::kBody) {
    const std::size_t taken = std::min(bytes.size(), length_ - body_.size());
    body_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    if (body_.size() == length_) {
      state_ = State::kWhole;
    }
  }
  return state_;
}

Message::State Message::end_of_head() {
  if (!header("transfer-encoding").empty()) {
    return State::kBad;
  }
  const std::string_view length = header("content-length");
  length_ = length.empty() ? 0 : to_number(length, kBodyMost + 1);
  return length_ > kBodyMost ? State::kBad : State::kBody;
}

std::string_view Message::first_line() const {
  return std::string_view(head_).substr(0, head_.find("\r\n"));
}

std::string_view Message::header(std::string_view name) const {
  const std::string_view head = head_;
  for (std::size_t at = head.find("\r\n"); at + 2 < head.size();) {
    const std::size_t from = at + 2;
    const std::size_t end = head.find("\r\n", from);
    const std::string_view line = head.substr(from, end - from);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        strncasecmp(line.data(), name.data(), name.size()) == 0) {
      std::string_view value = line.substr(name.size() + 1);
      value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
      return value.substr(0, value.find_last_not_of(" \t") + 1);
    }
    at = end;
  }
  return {};
}

}  // namespace ringside::drill
