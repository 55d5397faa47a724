// Cuts messages at every byte and looks whether the parsers read the same.
//
//   http_split FOLDER...
//
// Each file of the folders is one input of tests/fuzz/http/message_check.h. It is cut in two at
// every byte, and into single bytes. Prints what broke a rule and the number of inputs; ends with
// 1 if any did, or if there was none.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "message_check.h"
#include "transcript.h"

namespace {

using namespace ringside::http;

std::vector<Cuts> all_cuts(std::size_t size) {
  std::vector<Cuts> cuts = {every_byte(size)};
  for (std::size_t at = 1; at < size; ++at) {
    cuts.push_back({at});
  }
  return cuts;
}

bool holds(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string input{std::istreambuf_iterator<char>(in), {}};
  const auto broken = broken_rule(input, all_cuts(input.empty() ? 0 : input.size() - 1));
  if (broken) {
    fmt::print("{}: {}\n", path.string(), *broken);
  }
  return !broken;
}

}  // namespace

int main(int argc, char** argv) {
  int inputs = 0;
  int failed = 0;
  for (int i = 1; i < argc; ++i) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i], error)) {
      ++inputs;
      failed += holds(entry.path()) ? 0 : 1;
    }
    if (error) {
      fmt::print("{}: {}\n", argv[i], error.message());
      return 1;
    }
  }
  fmt::print("{} inputs, {} broke a rule\n", inputs, failed);
  return failed == 0 && inputs > 0 ? 0 : 1;
}
