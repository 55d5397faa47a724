// Bytes of a ring link: nothing may crash, and what is read must encode to the same bytes.
//
// The first byte picks what they are: a frame's payload, a handshake, or a stream that comes in
// pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "config/base/check.h"
#include "coord/codec/handshake.h"
#include "coord/codec/peer_message.h"

namespace ringside::coord {
namespace {

bool same(const Bytes& bytes, ByteView view) {
  return std::ranges::equal(bytes, view);
}

void payload(ByteView input) {
  if (const auto frame = decode_peer_frame(input)) {
    CHECK(same(encode_peer_frame(*frame), input));
  }
}

void handshake(ByteView input) {
  if (const auto read = decode_handshake(input)) {
    // A later version may say more at the end: what is known of it must come back.
    const auto again = decode_handshake(encode_handshake(*read));
    CHECK(again.has_value());
    CHECK(again->ring_name == read->ring_name);
    CHECK(again->id == read->id);
  }
}

// The first byte of each piece is its length; the payloads that come out are tried as frames.
void stream(ByteView input) {
  FrameReader reader(1U << 16U);
  while (!input.empty()) {
    const std::size_t size = std::min<std::size_t>(input.size() - 1, input[0]);
    reader.feed(input.subspan(1, size));
    input = input.subspan(1 + size);
    while (true) {
      const auto next = reader.next();
      if (!next) {
        return;
      }
      if (next->empty()) {
        break;
      }
      payload(*next);
    }
    CHECK(reader.buffered() <= (1U << 16U) + kFrameHeaderBytes + 256);
  }
}

}  // namespace
}  // namespace ringside::coord

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const ringside::ByteView input(data + 1, size - 1);
  switch (data[0] % 3U) {
    case 0: ringside::coord::payload(input); break;
    case 1: ringside::coord::handshake(input); break;
    default: ringside::coord::stream(input);
  }
  return 0;
}
