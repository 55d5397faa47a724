// CRC-32C (Castagnoli, RFC 3720 appendix B.4), the check of log records, snapshots and peer frames.
#pragma once

#include <cstdint>

#include "config/base/bytes.h"

namespace ringside {

// Continues `seed` (the value of an earlier call, 0 to begin) over bytes, so that checks can be
// chained: crc32c(b, crc32c(a)) == crc32c(ab).
std::uint32_t crc32c(ByteView bytes, std::uint32_t seed = 0);

// The same without the processor's instruction: what crc32c does where there is none.
std::uint32_t crc32c_by_tables(ByteView bytes, std::uint32_t seed = 0);

}  // namespace ringside
