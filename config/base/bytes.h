// Bytes in and out of our formats: big-endian, every length bounded, no read past the end.
//
// ByteReader never throws and never reads outside its span: the first failed read makes it `bad`
// and every later read gives zero, so a decoder may read a whole record and test ok() once, before
// it trusts or allocates anything by a number read. Values, one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringside {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class ByteWriter {
 public:
  ByteWriter() = default;
  explicit ByteWriter(std::size_t reserve_bytes) { out_.reserve(reserve_bytes); }

  void u8(std::uint8_t value) { out_.push_back(value); }
  void u16(std::uint16_t value) { number(value); }
  void u32(std::uint32_t value) { number(value); }
  void u64(std::uint64_t value) { number(value); }
  void i32(std::int32_t value) { number(static_cast<std::uint32_t>(value)); }
  void i64(std::int64_t value) { number(static_cast<std::uint64_t>(value)); }
  void boolean(bool value) { u8(value ? 1 : 0); }
  void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  // u32 length, then the bytes.
  void blob(ByteView bytes) {
    u32(static_cast<std::uint32_t>(bytes.size()));
    raw(bytes);
  }
  void text(std::string_view value) { blob(as_bytes(value)); }

  // Overwrites four bytes written before, for lengths known late; needs offset + 4 <= size().
  void patch_u32(std::size_t offset, std::uint32_t value);

  [[nodiscard]] std::size_t size() const { return out_.size(); }
  [[nodiscard]] ByteView view() const { return out_; }
  [[nodiscard]] Bytes take() { return std::move(out_); }

 private:
  template <typename Number>
  void number(Number value) {
    for (std::size_t i = sizeof(Number); i-- > 0;) {
      out_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
  }

  Bytes out_;
};

class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : rest_(bytes) {}

  std::uint8_t u8() { return number<std::uint8_t>(); }
  std::uint16_t u16() { return number<std::uint16_t>(); }
  std::uint32_t u32() { return number<std::uint32_t>(); }
  std::uint64_t u64() { return number<std::uint64_t>(); }
  std::int32_t i32() { return static_cast<std::int32_t>(u32()); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  // Anything but 0 and 1 is bad.
  bool boolean();
  // Exactly `size` bytes, or none and bad.
  ByteView raw(std::size_t size);
  // u32 length (at most max_bytes, and at most what is left), then the bytes. The view lives as
  // long as the input.
  ByteView blob(std::size_t max_bytes);
  std::string text(std::size_t max_bytes) { return std::string(as_text(blob(max_bytes))); }

  // A count of records that follow, each at least min_record_bytes (at least 1) long: bad when they
  // could not fit.
  std::uint32_t count(std::size_t min_record_bytes);

  void fail() {
    bad_ = true;
    rest_ = {};
  }
  [[nodiscard]] bool ok() const { return !bad_; }
  // All read, nothing bad, nothing left over.
  [[nodiscard]] bool done() const { return !bad_ && rest_.empty(); }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

 private:
  template <typename Number>
  Number number() {
    const ByteView bytes = raw(sizeof(Number));
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) {
      value = (value << 8U) | byte;
    }
    return static_cast<Number>(value);
  }

  ByteView rest_;
  bool bad_ = false;
};

}  // namespace ringside
