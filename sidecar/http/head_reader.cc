#include "sidecar/http/head_reader.h"

#include <algorithm>
#include <cstring>

namespace ringside::http {
namespace {

constexpr std::size_t kFirstBytes = 1024;      // reserved at once: most heads fit
constexpr std::size_t kKeptBytes = 16 * 1024;  // a larger buffer is given back after its message

}  // namespace

HeadReader::Result HeadReader::read(std::span<const char> input) {
  const std::size_t window = std::min(input.size(), max_bytes_ - buffer_.size());
  if (buffer_.capacity() < kFirstBytes) {
    buffer_.reserve(kFirstBytes);
  }
  const std::size_t before = buffer_.size();
  buffer_.append(input.data(), window);
  for (std::size_t at = before; at < buffer_.size(); ++at) {
    const void* found = std::memchr(buffer_.data() + at, '\n', buffer_.size() - at);
    if (found == nullptr) {
      break;
    }
    at = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
    if (at == 0 || buffer_[at - 1] != '\r') {
      return {.consumed = at + 1 - before, .reason = Reason::kBareLf};
    }
    const bool empty_line = at - 1 == line_begin_;
    line_begin_ = at + 1;
    if (empty_line) {
      buffer_.resize(line_begin_);
      return {.complete = true, .consumed = line_begin_ - before};
    }
  }
  if (buffer_.size() == max_bytes_) {
    return {.consumed = window, .reason = too_large_};
  }
  return {.consumed = window};
}

void HeadReader::reset() {
  if (buffer_.capacity() > kKeptBytes) {
    release_memory();
  }
  buffer_.clear();
  line_begin_ = 0;
}

void HeadReader::release_memory() {
  std::string().swap(buffer_);
  line_begin_ = 0;
}

}  // namespace ringside::http
