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
    return last_rounds();
  }
  // For 128 bits: begin_128() before the first word, and finish_128() for finish().
  void begin_128() { v1_ ^= 0xeeU; }
  std::array<std::uint64_t, 2> finish_128() {
    v2_ ^= 0xeeU;
    const std::uint64_t low = last_rounds();
    v1_ ^= 0xddU;
    return {low, last_rounds()};
  }

 private:
  std::uint64_t last_rounds() {
    for (int i = 0; i < 4; ++i) {
      round();
    }
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }
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

void add_bytes(SipHash& hash, ByteView bytes) {
  const std::size_t whole = bytes.size() / 8 * 8;
  for (std::size_t i = 0; i < whole; i += 8) {
    hash.word(little_endian(bytes.subspan(i, 8)));
  }
  hash.word(last_word(bytes.subspan(whole), bytes.size()));
}

}  // namespace

std::uint64_t hash_bytes(ByteView bytes, HashKey key) {
  SipHash hash(key);
  add_bytes(hash, bytes);
  return hash.finish();
}

std::array<std::uint8_t, 16> hash_bytes_128(ByteView bytes, HashKey key) {
  SipHash hash(key);
  hash.begin_128();
  add_bytes(hash, bytes);
  std::array<std::uint8_t, 16> out{};
  std::size_t at = 0;
  for (std::uint64_t word : hash.finish_128()) {
    for (int i = 0; i < 8; ++i, word >>= 8U) {
      out[at++] = static_cast<std::uint8_t>(word & 0xffU);
    }
  }
  return out;
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
