// ByteReader over any bytes, read as any sequence of fields: no read past the end, and a bad one
// stays bad.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "config/base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) {
    return 0;
  }
  ringside::ByteReader reader(ringside::ByteView(data + 8, size - 8));
  for (std::size_t i = 0; i < 64; ++i) {
    const bool was_ok = reader.ok();
    const std::size_t left = reader.left();
    switch (data[i % 8] % 6U) {
      case 0: reader.u8(); break;
      case 1: reader.u32(); break;
      case 2: reader.i64(); break;
      case 3: reader.boolean(); break;
      case 4: (void)reader.text(1024); break;
      default: (void)reader.count(1 + data[0]); break;
    }
    if (reader.left() > left || (!was_ok && reader.ok())) {
      std::abort();
    }
  }
  return 0;
}
