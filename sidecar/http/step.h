// The event that a parser gives for the bytes it was handed, and the limits it goes by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ringside::http {

struct Limits {
  std::size_t head_bytes = 64 * 1024;  // whole head, and whole trailer section; proxy.header_limit
  std::size_t fields = 256;            // fields of a head; of a trailer section
  std::size_t target_bytes = 64 * 1024;  // request target
  std::size_t chunk_line_bytes = 4096;   // size and extensions of one chunk
};

struct Step {
  enum class Kind : std::uint8_t {
    kNeedMore,  // all input was consumed
    kHead,      // head() is there
    kBody,      // `body` is a piece of the body, decoded; it points into the input
    kEnd,       // the message is complete
    kError,     // error() says why; the connection can't be used for parsing any more
  };
  Kind kind = Kind::kNeedMore;
  std::size_t consumed = 0;  // bytes of the input that were used
  std::span<const char> body{};
};

}  // namespace ringside::http
