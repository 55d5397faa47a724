#include "coord/codec/handshake.h"

#include <fmt/format.h>

#include "config/base/crc32c.h"

namespace ringside::coord {

namespace {

// Begins every handshake, so that something else than a ring member is known at once.
constexpr std::uint32_t kMagic = 0x52534452;  // "RSDR"
constexpr std::size_t kMaxNameBytes = 255;
constexpr std::size_t kCheckedHeaderBytes = kFrameHeaderBytes - sizeof(std::uint32_t);

std::uint32_t number_at(const Bytes& bytes, std::size_t offset) {
  ByteReader reader(ByteView(bytes).subspan(offset, sizeof(std::uint32_t)));
  return reader.u32();
}

}  // namespace

Bytes encode_handshake(const Handshake& handshake) {
  ByteWriter out;
  out.u32(kMagic);
  out.u16(handshake.version);
  out.u16(handshake.oldest_version);
  out.text(handshake.ring_name);
  out.u64(handshake.birth.value);
  out.u64(handshake.id.value);
  out.boolean(handshake.voter);
  out.text(handshake.address);
  return out.take();
}

Result<Handshake> decode_handshake(ByteView payload) {
  if (payload.size() > kMaxHandshakeBytes) {
    return fail(ErrorCode::kTooLarge, "a handshake of more than 1024 bytes");
  }
  ByteReader in(payload);
  if (in.u32() != kMagic) {
    return fail(ErrorCode::kInvalid, "not a member of a ringside ring");
  }
  Handshake handshake;
  handshake.version = in.u16();
  handshake.oldest_version = in.u16();
  handshake.ring_name = in.text(kMaxNameBytes);
  handshake.birth = BirthId{in.u64()};
  handshake.id = MemberId{in.u64()};
  handshake.voter = in.boolean();
  handshake.address = in.text(kMaxNameBytes);
  // A later version may add fields at the end.
  const bool complete = in.ok() && (in.left() == 0 || handshake.version > kPeerProtocolVersion);
  if (!complete || !handshake.id || handshake.oldest_version > handshake.version) {
    return fail(ErrorCode::kInvalid, "a handshake that cannot be read");
  }
  return handshake;
}

std::shared_ptr<const Bytes> make_frame(Bytes payload) {
  ByteWriter out(kFrameHeaderBytes + payload.size());
  out.u32(static_cast<std::uint32_t>(payload.size()));
  out.u32(crc32c(payload));
  out.u32(crc32c(out.view()));
  out.raw(payload);
  return std::make_shared<const Bytes>(out.take());
}

void FrameReader::feed(ByteView bytes) {
  // What next() gave before is not needed any more: the buffer is as long as what is unread.
  if (begin_ > 0) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

Result<ByteView> FrameReader::next() {
  if (buffered() < sizeof(std::uint32_t)) {
    return ByteView{};
  }
  // Before the rest of the header is there: a stranger is known by its first word.
  const std::size_t size = number_at(buffer_, begin_);
  if (size == 0 || size > max_frame_bytes_) {
    return fail(ErrorCode::kTooLarge, fmt::format("a frame of {} bytes, where 1 to {} are allowed",
                                                  size, max_frame_bytes_));
  }
  if (buffered() < kFrameHeaderBytes) {
    return ByteView{};
  }
  const ByteView checked = ByteView(buffer_).subspan(begin_, kCheckedHeaderBytes);
  if (crc32c(checked) != number_at(buffer_, begin_ + kCheckedHeaderBytes)) {
    return fail(ErrorCode::kCorrupt, "a frame header that does not match its CRC-32C");
  }
  if (buffered() - kFrameHeaderBytes < size) {
    return ByteView{};
  }
  const std::uint32_t check = number_at(buffer_, begin_ + sizeof(std::uint32_t));
  const ByteView payload = ByteView(buffer_).subspan(begin_ + kFrameHeaderBytes, size);
  if (crc32c(payload) != check) {
    return fail(ErrorCode::kCorrupt, "a frame that does not match its CRC-32C");
  }
  begin_ += kFrameHeaderBytes + size;
  return payload;
}

std::size_t FrameReader::buffered() const {
  return buffer_.size() - begin_;
}

}  // namespace ringside::coord
