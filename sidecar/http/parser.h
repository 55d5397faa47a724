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
#include <span>

#include "sidecar/http/body_reader.h"
#include "sidecar/http/head.h"
#include "sidecar/http/head_reader.h"
#include "sidecar/http/llhttp_parser.h"
#include "sidecar/http/reason.h"
#include "sidecar/http/step.h"

namespace ringside::http {

// What both parsers share; not used by itself.
class MessageParser {
 public:
  // At kEnd of a chunked message; fields that may not stand there are left out.
  [[nodiscard]] std::span<const Field> trailers() const { return body_.trailers(); }
  [[nodiscard]] const ParseError& error() const { return error_; }
  // Bytes to come that are body and nothing else, so that they may pass without being looked at: 0
  // in a head or in chunks. What did pass so is told by pass(), and next() goes on behind it.
  [[nodiscard]] std::uint64_t unseen_left() const {
    return state_ == State::kBody ? body_.unseen_left() : 0;
  }
  void pass(std::uint64_t bytes) { body_.pass(bytes); }
  // Nothing of the next message has been seen.
  [[nodiscard]] bool idle() const { return state_ == State::kStart || state_ == State::kEnd; }

 protected:
  enum class State : std::uint8_t {
    kStart,   // the next byte begins a head
    kHead,    // inside a head
    kBody,    // behind it
    kEnd,     // responses: complete, and nothing more is expected
    kFailed,  // for good
  };

  MessageParser(const Limits& limits, LlhttpParser::Kind kind);
  Step refuse(const ParseError& error, std::size_t consumed);

  Limits limits_;
  State state_ = State::kStart;
  ParseError error_;
  HeadReader reader_;
  BodyReader body_;
};

class RequestParser : public MessageParser {
 public:
  explicit RequestParser(const Limits& limits);

  Step next(std::span<const char> input);
  // The connection ended: kError, kNoAnswer between messages (a clean end), else kTruncated.
  Step on_eof();

  [[nodiscard]] const RequestHead& head() const { return head_; }  // from kHead on
  // As new: nothing of what was read so far says how the next byte is read.
  [[nodiscard]] bool fresh() const { return state_ == State::kStart && !blank_seen_; }

 private:
  Step read_head(std::span<const char> input);
  Step read_body(std::span<const char> input);

  RequestHead head_;
  bool blank_seen_ = false;  // one empty line before a request is let pass (RFC 9112, 2.2)
};

class ResponseParser : public MessageParser {
 public:
  explicit ResponseParser(const Limits& limits);

  // What the next response answers; to be called while idle(), before its first byte. Bytes that
  // come when nothing is expected are refused as kUnsolicited.
  void expect(Method method, bool upgrade_requested);

  // After the kEnd of a head with `tunnel`, what follows belongs to the tunnel, not in here.
  Step next(std::span<const char> input);
  // The upstream closed: kEnd for a body that ends so, else kError (kNoAnswer before the first
  // byte, kTruncated inside).
  Step on_eof();

  [[nodiscard]] const ResponseHead& head() const { return head_; }
  void release_memory();

 private:
  Step read_head(std::span<const char> input);
  Step read_body(std::span<const char> input);

  ResponseHead head_;
  Method method_ = Method::kGet;
  bool upgrade_requested_ = false;
  int interim_seen_ = 0;
};

}  // namespace ringside::http
