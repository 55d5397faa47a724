#include "config/base/bytes.h"

#include "config/base/check.h"

namespace ringside {

void ByteWriter::patch_u32(std::size_t offset, std::uint32_t value) {
  CHECK(offset + 4 <= out_.size());
  for (std::size_t i = 0; i < 4; ++i) {
    out_[offset + i] = static_cast<std::uint8_t>(value >> (8 * (3 - i)));
  }
}

bool ByteReader::boolean() {
  const std::uint8_t value = u8();
  if (value > 1) {
    fail();
  }
  return value == 1;
}

ByteView ByteReader::raw(std::size_t size) {
  if (bad_ || size > rest_.size()) {
    fail();
    return {};
  }
  const ByteView head = rest_.first(size);
  rest_ = rest_.subspan(size);
  return head;
}

ByteView ByteReader::blob(std::size_t max_bytes) {
  const std::uint32_t size = u32();
  if (size > max_bytes) {
    fail();
    return {};
  }
  return raw(size);
}

std::uint32_t ByteReader::count(std::size_t min_record_bytes) {
  const std::uint32_t records = u32();
  if (min_record_bytes == 0 || records > rest_.size() / min_record_bytes) {
    fail();
    return 0;
  }
  return records;
}

}  // namespace ringside
