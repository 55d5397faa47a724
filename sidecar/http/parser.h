// Bytes in, events out: the resumable parsers of requests and responses.
//
// One parser per connection and direction, owned by sidecar/proxy; one thread. Pull style: call
// next(input) with the bytes at hand, drop `consumed` of them, act on the event, and call again
// with the rest until it says kNeedMore. How the bytes are cut never changes the events, but for
// where body pieces begin and end.
// Order of events: kHead, kBody*, kEnd; in responses any number of interim kHead (1xx) before.
// Invariants: 1. our validator reads each line before llhttp sees the head, and both must agree;
// 2. after kError nothing more is parsed; 3. bytes after a message stay unconsumed until the next
// call of next(), which begins the next message; 4. no allocation per message once the buffers are
// warm; 5. a parser holds at most Limits::head_bytes twice (head, trailers) and the field tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "sidecar/http/body_reader.h"
#include "sidecar/http/head.h"
#include "sidecar/http/head_reader.h"
#include "sidecar/http/reason.h"
#include "sidecar/http/step.h"

namespace ringside::http {

class RequestParser {
 public:
  explicit RequestParser(const Limits& limits);

  Step next(std::span<const char> input);
  // The connection ended: kError kNoAnswer between messages (a clean end), else kTruncated.
  Step on_eof();

  [[nodiscard]] const RequestHead& head() const { return head_; }  // from kHead on
  [[nodiscard]] std::span<const Field> trailers() const;           // at kEnd of a chunked message
  [[nodiscard]] const ParseError& error() const { return error_; }
  // Nothing of the next message has been seen.
  [[nodiscard]] bool idle() const;
  // Gives the buffers back; only while idle(), and ends the life of head().
  void release_memory();

 private:
  enum class State : std::uint8_t { kHead, kBody, kEnd, kFailed };
  Step read_head(std::span<const char> input);
  Step read_body(std::span<const char> input);
  Step refuse(Reason reason, std::size_t consumed);

  Limits limits_;
  State state_ = State::kHead;
  ParseError error_;
  RequestHead head_;
  HeadReader reader_;
  BodyReader body_;
};

class ResponseParser {
 public:
  explicit ResponseParser(const Limits& limits);

  // What the response answers; must be called before the first byte of each response.
  void expect(Method method, bool upgrade_requested);

  Step next(std::span<const char> input);
  // The upstream closed: kEnd for a body that ends so, else kError (kNoAnswer before the first
  // byte, kTruncated inside).
  Step on_eof();

  [[nodiscard]] const ResponseHead& head() const { return head_; }
  [[nodiscard]] std::span<const Field> trailers() const;
  [[nodiscard]] const ParseError& error() const { return error_; }
  [[nodiscard]] bool idle() const;
  void release_memory();

 private:
  enum class State : std::uint8_t { kHead, kBody, kEnd, kFailed };
  Step read_head(std::span<const char> input);
  Step read_body(std::span<const char> input);
  Step refuse(Reason reason, std::size_t consumed);

  Limits limits_;
  State state_ = State::kHead;
  Method method_ = Method::kGet;
  bool upgrade_requested_ = false;
  int interim_seen_ = 0;
  ParseError error_;
  ResponseHead head_;
  HeadReader reader_;
  BodyReader body_;
};

}  // namespace ringside::http
