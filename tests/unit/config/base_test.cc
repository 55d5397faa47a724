#include <doctest/doctest.h>

#include "config/base/bytes.h"
#include "config/base/crc32c.h"
#include "config/base/error.h"
#include "config/base/rng.h"
#include "config/base/strong_id.h"

namespace ringside {

TEST_CASE("Crc32cMatchesThePublishedCheckValue") {
  CHECK(crc32c(as_bytes("123456789")) == 0xe3069283U);  // RFC 3720, B.4
}

TEST_CASE("Crc32cChains") {
  const std::string text = "the quick brown fox jumps over the lazy dog";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const auto head = as_bytes(std::string_view(text).substr(0, cut));
    const auto tail = as_bytes(std::string_view(text).substr(cut));
    CHECK(crc32c(tail, crc32c(head)) == crc32c(as_bytes(text)));
  }
}

TEST_CASE("Crc32cIsTheSameByInstructionAndByTables") {
  Rng rng(7);
  Bytes bytes(600);
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(rng.below(256));
  }
  for (std::size_t size = 0; size < 300; ++size) {
    const ByteView part = ByteView(bytes).subspan(size % 17, size);
    const auto seed = static_cast<std::uint32_t>(rng());
    CHECK(crc32c(part, seed) == crc32c_by_tables(part, seed));
  }
}

TEST_CASE("ReaderNeverReadsPastTheEnd") {
  const Bytes bytes{0, 0, 0, 9, 'a'};
  ByteReader reader(bytes);
  CHECK(reader.blob(100).empty());
  CHECK_FALSE(reader.ok());
  CHECK(reader.u64() == 0);
}

TEST_CASE("ReaderRefusesACountThatCannotFit") {
  ByteWriter writer;
  writer.u32(1'000'000);
  writer.u64(1);
  ByteReader reader(writer.view());
  CHECK(reader.count(8) == 0);
  CHECK_FALSE(reader.ok());
}

TEST_CASE("WhatIsWrittenIsRead") {
  ByteWriter writer;
  writer.u8(7);
  writer.u16(300);
  writer.u32(70'000);
  writer.i64(-5);
  writer.boolean(true);
  writer.text("orders");
  ByteReader reader(writer.view());
  CHECK(reader.u8() == 7);
  CHECK(reader.u16() == 300);
  CHECK(reader.u32() == 70'000);
  CHECK(reader.i64() == -5);
  CHECK(reader.boolean());
  CHECK(reader.text(100) == "orders");
  CHECK(reader.done());
}

TEST_CASE("RngReplaysFromItsSeed") {
  Rng a(42);
  Rng b(42);
  for (int i = 0; i < 100; ++i) {
    CHECK(a() == b());
    const auto low = a.between(-3, 3);
    CHECK(low == b.between(-3, 3));
    CHECK(low >= -3);
    CHECK(low <= 3);
  }
}

}  // namespace ringside
