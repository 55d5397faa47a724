// Finds the body in the bytes after a head: counted, until the connection ends, or in chunks, whose
// sizes and extensions llhttp reads. Trailers are read by our own validator.
//
// Owned by the parsers; pure, one thread. Body pieces point into the input. Trailer views hold
// until the next begin().
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "sidecar/http/head.h"
#include "sidecar/http/head_reader.h"
#include "sidecar/http/llhttp_parser.h"
#include "sidecar/http/reason.h"
#include "sidecar/http/step.h"

namespace ringside::http {

class BodyReader {
 public:
  BodyReader(const Limits& limits, LlhttpParser::Kind kind);

  // llhttp's second reading of a head that our validator passed; kNone when it agrees.
  Reason confirm(std::string_view raw, const RequestHead& head);
  Reason confirm(std::string_view raw, const ResponseHead& head);

  // Begins the body that follows the head confirmed last; `framing` may be none where the head
  // announces a body that never comes (an answer to HEAD).
  void begin(const Framing& framing);
  // kBody, kEnd, kNeedMore; or kError, with reason().
  Step next(std::span<const char> input);
  // Bytes to come that are body and nothing else: they may pass unseen, told by pass(). 0 where
  // each must be read, in chunks.
  [[nodiscard]] std::uint64_t unseen_left() const;
  void pass(std::uint64_t bytes);
  // The connection ended: true when that is how this body ends.
  [[nodiscard]] bool ends_at_eof() const { return framing_.kind == Framing::Kind::kUntilClose; }
  [[nodiscard]] Reason reason() const { return reason_; }
  [[nodiscard]] std::span<const Field> trailers() const { return trailers_; }
  void release_memory();

 private:
  Step next_chunked(std::span<const char> input);
  Step next_trailers(std::span<const char> input, std::size_t consumed);
  Step refuse(Reason reason, std::size_t consumed);

  Limits limits_;
  Framing framing_;
  std::uint64_t left_ = 0;    // kLength
  bool in_trailers_ = false;  // kChunked, after the last chunk
  Reason reason_ = Reason::kNone;
  LlhttpParser llhttp_;
  HeadReader trailer_reader_;
  std::vector<Field> trailers_;
};

}  // namespace ringside::http
