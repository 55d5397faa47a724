// SipHash-2-4 (Aumasson and Bernstein, 2012). With its fixed, public key for digests and the node
// index, the same on every machine; with a key of its own for secrets. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "config/base/bytes.h"

namespace ringside::coord {

struct HashKey {
  std::uint64_t k0 = 0x0706050403020100U;
  std::uint64_t k1 = 0x0f0e0d0c0b0a0908U;
};

std::uint64_t hash_bytes(ByteView bytes, HashKey key = {});
// The variant with 128 bits of output, as the bytes of the reference code.
std::array<std::uint8_t, 16> hash_bytes_128(ByteView bytes, HashKey key);
// As hash_bytes over the words in little-endian order.
std::uint64_t hash_words(std::span<const std::uint64_t> words, HashKey key = {});

}  // namespace ringside::coord
