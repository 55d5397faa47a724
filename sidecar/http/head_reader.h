// Collects the raw bytes of a head (or of a trailer section) up to its empty line, in a buffer of
// its own, and refuses early what can never become one: a bare LF, too many bytes.
//
// Owned by the parsers; pure, one thread. What raw() gives holds until reset(). The buffer keeps
// its capacity from message to message, unless a head was unusually large.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "sidecar/http/reason.h"

namespace ringside::http {

class HeadReader {
 public:
  struct Result {
    bool complete = false;
    std::size_t consumed = 0;       // all of the input unless complete or refused
    Reason reason = Reason::kNone;  // kBareLf, or `too_large` as handed to the constructor
  };

  HeadReader(std::size_t max_bytes, Reason too_large)
      : max_bytes_(max_bytes), too_large_(too_large) {}

  // Not to be called again after a complete or refused result, until reset().
  Result read(std::span<const char> input);
  // The bytes so far; once complete all lines with their CRLF, the empty one included.
  [[nodiscard]] std::string_view raw() const { return buffer_; }
  [[nodiscard]] bool empty() const { return buffer_.empty(); }
  void reset();
  void release_memory();

 private:
  std::size_t max_bytes_;
  Reason too_large_;
  std::string buffer_;
  std::size_t line_begin_ = 0;
};

}  // namespace ringside::http
