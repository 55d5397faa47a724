// What a count depends on, beside our code: processor and compiler, as expected.txt names them.
#pragma once

#include <fmt/format.h>

#include <string>

namespace ringside::cost {

inline std::string built() {
#if defined(__x86_64__)
  const char* processor = "x86_64";
#elif defined(__aarch64__)
  const char* processor = "aarch64";
#else
  const char* processor = "another processor";
#endif
#if defined(__clang__)
  return fmt::format("{}, clang {}", processor, __clang_major__);
#else
  return fmt::format("{}, gcc {}", processor, __GNUC__);
#endif
}

}  // namespace ringside::cost
