// Lengths of time and sizes as they are written in YAML and on the command line: 100ms, 2s, 5m, 1h;
// 512B, 64KiB, 1MiB.
//
// Pure, any thread. Whole numbers with a unit; 0 needs one too (0s), so that a bare number is never
// guessed at.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/base/error.h"
#include "config/base/time.h"

namespace ringside::config {

// 0 .. 999,999,999 of a unit. The message says what was expected.
Result<milliseconds> parse_duration(std::string_view text);
// In the largest unit that is exact: 90000 ms is 90s, 0 is 0s.
std::string show_duration(milliseconds value);

Result<std::uint64_t> parse_size(std::string_view text);
std::string show_size(std::uint64_t bytes);

}  // namespace ringside::config
