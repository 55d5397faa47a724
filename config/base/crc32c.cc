#include "config/base/crc32c.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace ringside {

namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78U;  // reflected

// Slicing by eight: kTables[k][b] is the check of byte b followed by k zero bytes.
constexpr auto kTables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
    }
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8U) ^ tables[0][before & 0xffU];
    }
  }
  return tables;
}();

std::uint64_t load_word(const std::uint8_t* p) {
  std::uint64_t word = 0;
  std::memcpy(&word, p, sizeof word);
  return word;
}

std::uint32_t by_tables(ByteView bytes, std::uint32_t crc) {
  static_assert(std::endian::native == std::endian::little);
  const std::uint8_t* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, p += 8) {
    const std::uint64_t word = load_word(p) ^ crc;
    crc = kTables[7][word & 0xffU] ^ kTables[6][(word >> 8U) & 0xffU] ^
          kTables[5][(word >> 16U) & 0xffU] ^ kTables[4][(word >> 24U) & 0xffU] ^
          kTables[3][(word >> 32U) & 0xffU] ^ kTables[2][(word >> 40U) & 0xffU] ^
          kTables[1][(word >> 48U) & 0xffU] ^ kTables[0][word >> 56U];
  }
  for (; left > 0; --left, ++p) {
    crc = (crc >> 8U) ^ kTables[0][(crc ^ *p) & 0xffU];
  }
  return crc;
}

#if defined(__x86_64__)

// The processor's own instruction, where it has one: a snapshot of some hundred MiB is checked at
// each start.
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(ByteView bytes, std::uint32_t seed) {
  std::uint64_t crc = seed;
  const std::uint8_t* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, p += 8) {
    crc = __builtin_ia32_crc32di(crc, load_word(p));
  }
  auto rest = static_cast<std::uint32_t>(crc);
  for (; left > 0; --left, ++p) {
    rest = __builtin_ia32_crc32qi(rest, *p);
  }
  return rest;
}

bool has_instruction() {
  static const bool has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
}

#endif

}  // namespace

std::uint32_t crc32c(ByteView bytes, std::uint32_t seed) {
#if defined(__x86_64__)
  if (has_instruction()) {
    return ~by_instruction(bytes, ~seed);
  }
#endif
  return ~by_tables(bytes, ~seed);
}

std::uint32_t crc32c_by_tables(ByteView bytes, std::uint32_t seed) {
  return ~by_tables(bytes, ~seed);
}

}  // namespace ringside
