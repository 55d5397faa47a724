#include "coord/registry/hash.h"

#include <bit>

namespace ringside::coord {
namespace {

class SipHash {
 public:
  explicit SipHash(HashKey key)
      : v0_(key.k0 ^ 0x736f6d6570736575U),
        v1_(key.k1 ^ 0x646f72616e646f6dU),
        v2_(key.k0 ^ 0x6c7967656e657261U),
        v3_(key.k1 ^ 0x7465646279746573U) {}

  void word(std::uint64_t value) {
    v3_ ^= value;
    round();
    round();
    v0_ ^= value;
  }
  std::uint64_t finish() {
    v2_ ^= 0xffU;
    for (int i = 0; i < 4; ++i) {
      round();
    }
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  void round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }

  std::uint64_t v0_;
  std::uint64_t v1_;
  std::uint64_t v2_;
  std::uint64_t v3_;
};

// Up to eight bytes, the first lowest.
std::uint64_t little_endian(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8U | bytes[i];
  }
  return value;
}

// The last word carries the length in its top byte.
std::uint64_t last_word(ByteView tail, std::size_t total_bytes) {
  return little_endian(tail) | static_cast<std::uint64_t>(total_bytes & 0xffU) << 56U;
}

}  // namespace

std::uint64_t hash_bytes(ByteView bytes, HashKey key) {
  SipHash hash(key);
  const std::size_t whole = bytes.size() / 8 * 8;
  for (std::size_t i = 0; i < whole; i += 8) {
    hash.word(little_endian(bytes.subspan(i, 8)));
  }
  hash.word(last_word(bytes.subspan(whole), bytes.size()));
  return hash.finish();
}

std::uint64_t hash_words(std::span<const std::uint64_t> words, HashKey key) {
  SipHash hash(key);
  for (const std::uint64_t value : words) {
    hash.word(value);
  }
  hash.word(last_word({}, words.size() * 8));
  return hash.finish();
}

}  // namespace ringside::coord
