// The only file that sees llhttp: its reading of a head, and its reading of chunks.
//
// Used by BodyReader. llhttp (strict) reads each head after our validator, so that framing and
// version are what two parsers agree on, and then stands where the chunks begin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace ringside::http {

class LlhttpParser {
 public:
  struct State;  // defined in llhttp_parser.cc
  enum class Kind : std::uint8_t { kRequest, kResponse };

  // What llhttp read in a head.
  struct Facts {
    bool accepted = false;
    int method = 0;  // requests
    int status = 0;  // responses
    int minor_version = 0;
    bool has_length = false;
    bool chunked = false;
    std::uint64_t length = 0;
  };

  // The outcome of one piece of chunked input.
  struct Chunk {
    enum class Kind : std::uint8_t { kNeedMore, kData, kLast, kBad, kLineTooLong };
    Kind kind = Kind::kNeedMore;
    std::size_t consumed = 0;
    std::span<const char> data{};  // kData: into the input
  };

  LlhttpParser(Kind kind, std::size_t chunk_line_bytes);
  ~LlhttpParser();
  LlhttpParser(LlhttpParser&&) noexcept;
  LlhttpParser& operator=(LlhttpParser&&) noexcept;

  // Starts over and reads a complete head.
  Facts read_head(std::string_view raw);
  // After a head with chunked framing: reads on in its chunks, up to the end of the last one's
  // line. Not to be called after kLast, kBad or kLineTooLong.
  Chunk read_chunks(std::span<const char> input);

 private:
  std::unique_ptr<State> state_;
};

}  // namespace ringside::http
