#include "sidecar/http/llhttp_parser.h"

#include <llhttp.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "sidecar/http/chars.h"
#include "sidecar/http/head.h"

namespace ringside::http {

static_assert(static_cast<int>(Method::kDelete) == HTTP_DELETE);
static_assert(static_cast<int>(Method::kGet) == HTTP_GET);
static_assert(static_cast<int>(Method::kConnect) == HTTP_CONNECT);
static_assert(static_cast<int>(Method::kMsearch) == HTTP_MSEARCH);
static_assert(static_cast<int>(Method::kPatch) == HTTP_PATCH);
static_assert(static_cast<int>(Method::kSource) == HTTP_SOURCE);

struct LlhttpParser::State {
  // Where the next byte of chunked input stands. llhttp 8 refuses some legal chunk extensions, so
  // it is shown none: extensions are read here and left out.
  enum class Place : std::uint8_t { kLine, kExtensionBegin, kExtension, kData };

  llhttp_t parser{};
  std::size_t max_line_bytes = 0;
  std::size_t line_bytes = 0;  // of the chunk line at hand, extensions included
  Place place = Place::kLine;
  bool last_chunk = false;
  Facts facts;                 // set when llhttp has read a head to its end
  std::span<const char> data;  // set when llhttp has found a piece of a chunk

  // How far a line may be read: one byte over its limit, so that the outcome does not hang on how
  // the input is cut.
  [[nodiscard]] std::size_t line_stop(std::size_t size, std::size_t at) const {
    return std::min(size, at + (max_line_bytes - line_bytes) + 1);
  }
  bool execute(std::span<const char> input, std::size_t& at, std::size_t end);
  bool read_line(std::span<const char> input, std::size_t& at);
  bool begin_extension(std::span<const char> input, std::size_t& at);
  void skip_extension(std::span<const char> input, std::size_t& at);
};

namespace {

using State = LlhttpParser::State;

State& state_of(llhttp_t* parser) {
  return *static_cast<State*>(parser->data);
}

int on_headers_complete(llhttp_t* parser) {
  state_of(parser).facts = {.accepted = true,
                            .method = parser->method,
                            .status = parser->status_code,
                            .minor_version = parser->http_minor,
                            .has_length = (parser->flags & F_CONTENT_LENGTH) != 0,
                            .chunked = (parser->flags & F_CHUNKED) != 0,
                            .length = parser->content_length};
  return 0;
}

int on_body(llhttp_t* parser, const char* data, std::size_t size) {
  state_of(parser).data = {data, size};
  return 0;
}

int on_chunk_header(llhttp_t* parser) {
  State& state = state_of(parser);
  state.place = State::Place::kData;
  state.last_chunk = parser->content_length == 0;
  return 0;
}

// Pauses, so that no execute gives more than one piece of data or enters the next chunk's line.
int on_chunk_complete(llhttp_t* parser) {
  State& state = state_of(parser);
  state.place = State::Place::kLine;
  state.line_bytes = 0;
  return HPE_PAUSED;
}

const llhttp_settings_t& settings() {
  static const llhttp_settings_t kSettings = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    made.on_headers_complete = on_headers_complete;
    made.on_body = on_body;
    made.on_chunk_header = on_chunk_header;
    made.on_chunk_complete = on_chunk_complete;
    return made;
  }();
  return kSettings;
}

}  // namespace

// Shows llhttp the bytes from `at` to `end` and moves `at` behind what it took; false if it
// refused.
bool LlhttpParser::State::execute(std::span<const char> input, std::size_t& at, std::size_t end) {
  const llhttp_errno_t result = llhttp_execute(&parser, input.data() + at, end - at);
  if (result == HPE_PAUSED) {
    at = static_cast<std::size_t>(llhttp_get_error_pos(&parser) - input.data());
    llhttp_resume(&parser);
    return true;
  }
  at = end;
  return result == HPE_OK;
}

// The size, up to an extension or through the end of the line.
bool LlhttpParser::State::read_line(std::span<const char> input, std::size_t& at) {
  const std::size_t stop = line_stop(input.size(), at);
  std::size_t end = at;
  while (end < stop && input[end] != ';' && input[end] != '\n') {
    ++end;
  }
  const bool extension = end < stop && input[end] == ';';
  if (end < stop && !extension) {
    ++end;
  }
  line_bytes += end - at + (extension ? 1 : 0);
  if (end > at && !execute(input, at, end)) {
    return false;
  }
  if (extension) {
    ++at;
    place = Place::kExtensionBegin;
  }
  return true;
}

// An extension has a name: after white space the first byte is one of a token.
bool LlhttpParser::State::begin_extension(std::span<const char> input, std::size_t& at) {
  const char c = input[at];
  if (is(kTokenChar, c)) {
    place = Place::kExtension;
    return true;
  }
  ++at;
  ++line_bytes;
  return is_blank(c);
}

// Up to a byte that no extension holds, which llhttp judges: CR, or an error.
void LlhttpParser::State::skip_extension(std::span<const char> input, std::size_t& at) {
  const std::size_t begin = at;
  const std::size_t stop = line_stop(input.size(), at);
  while (at < stop && is(kValueChar, input[at])) {
    ++at;
  }
  line_bytes += at - begin;
  if (at < stop) {
    place = Place::kLine;
  }
}

LlhttpParser::LlhttpParser(Kind kind, std::size_t chunk_line_bytes)
    : state_(std::make_unique<State>()) {
  llhttp_init(&state_->parser, kind == Kind::kRequest ? HTTP_REQUEST : HTTP_RESPONSE, &settings());
  state_->parser.data = state_.get();
  state_->max_line_bytes = chunk_line_bytes;
}

LlhttpParser::~LlhttpParser() = default;
LlhttpParser::LlhttpParser(LlhttpParser&&) noexcept = default;
LlhttpParser& LlhttpParser::operator=(LlhttpParser&&) noexcept = default;

LlhttpParser::Facts LlhttpParser::read_head(std::string_view raw) {
  State& state = *state_;
  llhttp_reset(&state.parser);
  state.place = State::Place::kLine;
  state.line_bytes = 0;
  state.last_chunk = false;
  state.facts = {};
  const llhttp_errno_t result = llhttp_execute(&state.parser, raw.data(), raw.size());
  if (result != HPE_OK && result != HPE_PAUSED_UPGRADE) {
    return {};
  }
  return state.facts;
}

LlhttpParser::Chunk LlhttpParser::read_chunks(std::span<const char> input) {
  using Place = State::Place;
  State& state = *state_;
  state.data = {};
  std::size_t at = 0;
  while (at < input.size()) {
    bool good = true;
    switch (state.place) {
      case Place::kLine: good = state.read_line(input, at); break;
      case Place::kExtensionBegin: good = state.begin_extension(input, at); break;
      case Place::kExtension: state.skip_extension(input, at); break;
      case Place::kData: good = state.execute(input, at, input.size()); break;
    }
    if (!state.data.empty()) {
      // An error behind the data is left to the next call: llhttp stays in it, and at least its
      // byte is still to be consumed.
      const auto data_end = static_cast<std::size_t>(&state.data.back() + 1 - input.data());
      return {.kind = Chunk::Kind::kData, .consumed = good ? at : data_end, .data = state.data};
    }
    if (!good) {
      return {.kind = Chunk::Kind::kBad, .consumed = at};
    }
    if (state.line_bytes > state.max_line_bytes) {
      return {.kind = Chunk::Kind::kLineTooLong, .consumed = at};
    }
    if (state.last_chunk) {
      return {.kind = Chunk::Kind::kLast, .consumed = at};
    }
  }
  return {.consumed = at};
}

}  // namespace ringside::http
