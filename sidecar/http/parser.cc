#include "sidecar/http/parser.h"

#include <vector>

#include "sidecar/http/chars.h"
#include "sidecar/http/validator.h"

namespace ringside::http {
namespace {

constexpr int kMaxInterim = 32;
constexpr std::string_view kEmptyLine = "\r\n";

// What a request can't begin with is refused at its first byte: another protocol's greeting must
// not wait for a line end that never comes.
Reason first_byte_reason(char c) {
  if (is(kTokenChar, c) || c == '\r' || c == '\n') {
    return Reason::kNone;
  }
  return c == '\0' ? Reason::kNul : Reason::kBadRequestLine;
}

void release(Head& head) {
  std::vector<Field>().swap(head.fields);
  std::vector<std::string_view>().swap(head.connection);
}

}  // namespace

MessageParser::MessageParser(const Limits& limits, LlhttpParser::Kind kind)
    : limits_(limits), reader_(limits.head_bytes, Reason::kHeadTooLarge), body_(limits, kind) {}

Step MessageParser::refuse(const ParseError& error, std::size_t consumed) {
  state_ = State::kFailed;
  error_ = error;
  return {.kind = Step::Kind::kError, .consumed = consumed};
}

RequestParser::RequestParser(const Limits& limits)
    : MessageParser(limits, LlhttpParser::Kind::kRequest) {}

Step RequestParser::next(std::span<const char> input) {
  switch (state_) {
    case State::kStart:
      if (input.empty()) {
        return {};
      }
      if (const Reason reason = first_byte_reason(input.front()); reason != Reason::kNone) {
        return refuse(request_error(reason), 1);
      }
      reader_.reset();
      state_ = State::kHead;
      [[fallthrough]];
    case State::kHead: return read_head(input);
    case State::kBody: return read_body(input);
    case State::kEnd:
    case State::kFailed: break;
  }
  return {.kind = Step::Kind::kError};
}

Step RequestParser::read_head(std::span<const char> input) {
  const HeadReader::Result result = reader_.read(input);
  if (result.reason != Reason::kNone) {
    return refuse(request_error(result.reason), result.consumed);
  }
  if (!result.complete) {
    return {.consumed = result.consumed};
  }
  if (reader_.raw() == kEmptyLine) {
    if (blank_seen_) {
      return refuse(request_error(Reason::kEmptyLine), result.consumed);
    }
    blank_seen_ = true;
    state_ = State::kStart;
    Step step = next(input.subspan(result.consumed));
    step.consumed += result.consumed;
    return step;
  }
  Reason reason = read_request_head(reader_.raw(), limits_, head_);
  if (reason == Reason::kNone) {
    reason = body_.confirm(reader_.raw(), head_);
  }
  if (reason != Reason::kNone) {
    return refuse(request_error(reason), result.consumed);
  }
  blank_seen_ = false;
  state_ = State::kBody;
  body_.begin(head_.framing);
  return {.kind = Step::Kind::kHead, .consumed = result.consumed};
}

Step RequestParser::read_body(std::span<const char> input) {
  const Step step = body_.next(input);
  if (step.kind == Step::Kind::kError) {
    return refuse(request_error(body_.reason()), step.consumed);
  }
  if (step.kind == Step::Kind::kEnd) {
    state_ = State::kStart;
  }
  return step;
}

Step RequestParser::on_eof() {
  const bool clean = state_ == State::kStart;
  return state_ == State::kFailed
             ? Step{.kind = Step::Kind::kError}
             : refuse(request_error(clean ? Reason::kNoAnswer : Reason::kTruncated), 0);
}

ResponseParser::ResponseParser(const Limits& limits)
    : MessageParser(limits, LlhttpParser::Kind::kResponse) {
  state_ = State::kEnd;
}

void ResponseParser::expect(Method method, bool upgrade_requested) {
  method_ = method;
  upgrade_requested_ = upgrade_requested;
  interim_seen_ = 0;
  if (state_ == State::kEnd) {
    state_ = State::kStart;
  }
}

Step ResponseParser::next(std::span<const char> input) {
  switch (state_) {
    case State::kStart:
      if (input.empty()) {
        return {};
      }
      if (input.front() != 'H') {
        return refuse(response_error(Reason::kBadStatusLine), 1);
      }
      reader_.reset();
      state_ = State::kHead;
      [[fallthrough]];
    case State::kHead: return read_head(input);
    case State::kBody: return read_body(input);
    case State::kEnd:
      return input.empty() ? Step{} : refuse(response_error(Reason::kUnsolicited), 0);
    case State::kFailed: break;
  }
  return {.kind = Step::Kind::kError};
}

Step ResponseParser::read_head(std::span<const char> input) {
  const HeadReader::Result result = reader_.read(input);
  if (result.reason != Reason::kNone) {
    return refuse(response_error(result.reason), result.consumed);
  }
  if (!result.complete) {
    return {.consumed = result.consumed};
  }
  Reason reason = read_response_head(reader_.raw(), limits_, method_, upgrade_requested_, head_);
  if (reason == Reason::kNone) {
    reason = body_.confirm(reader_.raw(), head_);
  }
  if (reason == Reason::kNone && head_.interim && ++interim_seen_ > kMaxInterim) {
    reason = Reason::kTooManyInterim;
  }
  if (reason != Reason::kNone) {
    return refuse(response_error(reason), result.consumed);
  }
  state_ = head_.interim ? State::kStart : State::kBody;
  body_.begin(head_.framing);
  return {.kind = Step::Kind::kHead, .consumed = result.consumed};
}

Step ResponseParser::read_body(std::span<const char> input) {
  const Step step = body_.next(input);
  if (step.kind == Step::Kind::kError) {
    return refuse(response_error(body_.reason()), step.consumed);
  }
  if (step.kind == Step::Kind::kEnd) {
    state_ = State::kEnd;
  }
  return step;
}

Step ResponseParser::on_eof() {
  if (state_ == State::kFailed) {
    return {.kind = Step::Kind::kError};
  }
  if (state_ == State::kBody && body_.ends_at_eof()) {
    state_ = State::kEnd;
    return {.kind = Step::Kind::kEnd};
  }
  const bool nothing = idle() && interim_seen_ == 0;
  return refuse(response_error(nothing ? Reason::kNoAnswer : Reason::kTruncated), 0);
}

void ResponseParser::release_memory() {
  reader_.release_memory();
  body_.release_memory();
  release(head_);
}

}  // namespace ringside::http
