// The first frame on a ring link, both ways, and the framing of all others. Pure.
//
// A frame is u32 length of the payload (1 .. kMaxFrameBytes), u32 CRC-32C of the payload, u32
// CRC-32C of these eight bytes, payload; big-endian. The first payload byte is the kind of message.
// The header has a check of its own so that a changed length is refused at once: a reader that
// trusted it could wait for megabytes that never come.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/base/bytes.h"
#include "config/base/error.h"
#include "coord/zab/types.h"

namespace ringside::coord {

inline constexpr std::size_t kFrameHeaderBytes = 12;
inline constexpr std::size_t kMaxFrameBytes = 64U << 20U;
inline constexpr std::size_t kMaxHandshakeBytes = 1024;
inline constexpr std::uint16_t kPeerProtocolVersion = 1;
inline constexpr std::uint16_t kPeerProtocolOldest = 1;
// The version after this one, as far as it can be tried today: every message has one more byte at
// its end. For tests of a ring in which both are spoken.
inline constexpr std::uint16_t kPeerProtocolNext = kPeerProtocolVersion + 1;

struct Handshake {
  std::uint16_t version = kPeerProtocolVersion;
  std::uint16_t oldest_version = kPeerProtocolOldest;
  std::string ring_name;
  BirthId birth;  // 0: not born, or an observer that holds nothing yet
  MemberId id;
  bool voter = false;
  std::string address;  // where it listens, for people
};

// Payload (without frame header) to and from.
Bytes encode_handshake(const Handshake& handshake);
Result<Handshake> decode_handshake(ByteView payload);

// Frame header and payload as one buffer.
std::shared_ptr<const Bytes> make_frame(Bytes payload);

// Splits a byte stream into frames. Feed any chunks; next() gives the payloads one by one.
class FrameReader {
 public:
  // The bound may be lower before the handshake is done.
  explicit FrameReader(std::size_t max_frame_bytes = kMaxFrameBytes)
      : max_frame_bytes_(max_frame_bytes) {}
  void set_max_frame_bytes(std::size_t bytes) { max_frame_bytes_ = bytes; }
  void feed(ByteView bytes);
  // A whole payload (valid until the next feed or next); an empty view: more bytes are needed; an
  // error: close the link.
  Result<ByteView> next();
  [[nodiscard]] std::size_t buffered() const;

 private:
  Bytes buffer_;
  std::size_t begin_ = 0;
  std::size_t max_frame_bytes_;
};

}  // namespace ringside::coord
