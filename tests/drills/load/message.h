// One HTTP/1.1 message with a Content-Length, or without a body: read from bytes as they come.
//
// Used by drill_load and drill_app, one thread. Shares nothing with Ringside's own parser, so that
// no fault of that one can hide here. Anything but a Content-Length is bad: neither side of a drill
// speaks chunked.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ringside::drill {

class Message {
 public:
  enum class State { kHead, kBody, kWhole, kBad };

  // Takes what is of this message off the front of `bytes`; what follows it stays there.
  State feed(std::string_view& bytes);
  void clear();

  // The rest is to be asked only of a message with its head complete.
  [[nodiscard]] std::string_view first_line() const;
  // The value of the first header of that lower-case name; empty where there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] bool says_close() const { return header("connection") == "close"; }
  [[nodiscard]] const std::string& body() const { return body_; }
  [[nodiscard]] bool begun() const { return !head_.empty(); }

 private:
  static constexpr std::size_t kHeadMost = 64 * 1024;
  static constexpr std::size_t kBodyMost = 16 * 1024 * 1024;

  State end_of_head();

  State state_ = State::kHead;
  std::string head_;  // with the empty line once complete
  std::string body_;
  std::size_t length_ = 0;
};

// Digits only; `otherwise` for anything else.
std::size_t to_number(std::string_view text, std::size_t otherwise);

}  // namespace ringside::drill
