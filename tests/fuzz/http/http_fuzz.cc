// Fuzzes the parsers of requests and responses, and the writer behind them. The first byte chooses
// what is parsed and where the bytes are cut; the rules that must hold: message_check.h.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "message_check.h"
#include "transcript.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringside::http;
  if (size < 2) {
    return 0;
  }
  const std::size_t rest = size - 1;
  const std::size_t cut = data[0] / 8 * rest / 32;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto broken = broken_rule(input, {{cut}, every_byte(rest)})) {
    std::fputs(broken->c_str(), stderr);
    std::abort();
  }
  return 0;
}
