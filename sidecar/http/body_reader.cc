#include "sidecar/http/body_reader.h"

#include <algorithm>

#include "sidecar/http/validator.h"

namespace ringside::http {
namespace {

// True when llhttp found the same body length declared that the fields of `head` declare.
bool same_framing(const LlhttpParser::Facts& facts, const Head& head) {
  return facts.chunked == head.has(FieldId::kTransferEncoding) &&
         facts.has_length == head.has(FieldId::kContentLength) &&
         (head.framing.kind != Framing::Kind::kLength || facts.length == head.framing.length);
}

Reason agree(bool same) {
  return same ? Reason::kNone : Reason::kDisagreement;
}

}  // namespace

BodyReader::BodyReader(const Limits& limits, LlhttpParser::Kind kind)
    : limits_(limits),
      llhttp_(kind, limits.chunk_line_bytes),
      trailer_reader_(limits.head_bytes, Reason::kTrailerTooLarge) {}

Reason BodyReader::confirm(std::string_view raw, const RequestHead& head) {
  const LlhttpParser::Facts facts = llhttp_.read_head(raw);
  return agree(facts.accepted && facts.method == static_cast<int>(head.method) &&
               facts.minor_version == head.minor_version && same_framing(facts, head));
}

Reason BodyReader::confirm(std::string_view raw, const ResponseHead& head) {
  const LlhttpParser::Facts facts = llhttp_.read_head(raw);
  return agree(facts.accepted && facts.status == head.status &&
               facts.minor_version == head.minor_version && same_framing(facts, head));
}

void BodyReader::begin(const Framing& framing) {
  framing_ = framing;
  left_ = framing.length;
  in_trailers_ = false;
  reason_ = Reason::kNone;
  trailers_.clear();
  trailer_reader_.reset();
}

Step BodyReader::next(std::span<const char> input) {
  switch (framing_.kind) {
    case Framing::Kind::kNone: return {.kind = Step::Kind::kEnd};
    case Framing::Kind::kUntilClose:
      if (input.empty()) {
        return {};
      }
      return {.kind = Step::Kind::kBody, .consumed = input.size(), .body = input};
    case Framing::Kind::kLength: {
      if (left_ == 0) {
        return {.kind = Step::Kind::kEnd};
      }
      if (input.empty()) {
        return {};
      }
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
      left_ -= size;
      return {.kind = Step::Kind::kBody, .consumed = size, .body = input.first(size)};
    }
    case Framing::Kind::kChunked: break;
  }
  return in_trailers_ ? next_trailers(input, 0) : next_chunked(input);
}

std::uint64_t BodyReader::unseen_left() const {
  switch (framing_.kind) {
    case Framing::Kind::kLength: return left_;
    case Framing::Kind::kUntilClose: return UINT64_MAX;
    case Framing::Kind::kNone:
    case Framing::Kind::kChunked: break;
  }
  return 0;
}

void BodyReader::pass(std::uint64_t bytes) {
  if (framing_.kind == Framing::Kind::kLength) {
    left_ -= std::min(left_, bytes);
  }
}

Step BodyReader::next_chunked(std::span<const char> input) {
  const LlhttpParser::Chunk chunk = llhttp_.read_chunks(input);
  switch (chunk.kind) {
    case LlhttpParser::Chunk::Kind::kNeedMore: return {.consumed = chunk.consumed};
    case LlhttpParser::Chunk::Kind::kData:
      return {.kind = Step::Kind::kBody, .consumed = chunk.consumed, .body = chunk.data};
    case LlhttpParser::Chunk::Kind::kBad: return refuse(Reason::kBadChunk, chunk.consumed);
    case LlhttpParser::Chunk::Kind::kLineTooLong:
      return refuse(Reason::kChunkTooLong, chunk.consumed);
    case LlhttpParser::Chunk::Kind::kLast: break;
  }
  in_trailers_ = true;
  return next_trailers(input.subspan(chunk.consumed), chunk.consumed);
}

// `consumed` bytes of the caller's input came before this one.
Step BodyReader::next_trailers(std::span<const char> input, std::size_t consumed) {
  const HeadReader::Result result = trailer_reader_.read(input);
  consumed += result.consumed;
  if (result.reason != Reason::kNone) {
    return refuse(result.reason, consumed);
  }
  if (!result.complete) {
    return {.consumed = consumed};
  }
  const Reason reason = read_trailers(trailer_reader_.raw(), limits_, trailers_);
  if (reason != Reason::kNone) {
    return refuse(reason == Reason::kTooManyFields ? Reason::kTrailerTooLarge : reason, consumed);
  }
  return {.kind = Step::Kind::kEnd, .consumed = consumed};
}

Step BodyReader::refuse(Reason reason, std::size_t consumed) {
  reason_ = reason;
  return {.kind = Step::Kind::kError, .consumed = consumed};
}

void BodyReader::release_memory() {
  trailer_reader_.release_memory();
  std::vector<Field>().swap(trailers_);
}

}  // namespace ringside::http
