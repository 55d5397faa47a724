// Whatever the bytes: settings, or problems with places. Also run with address and
// undefined-behaviour sanitizers.
#include "config/base/rng.h"
#include "config/validate.h"
#include "tests/unit/config/reading.h"

namespace ringside::config {

namespace {

// Reads the text; true when it is valid.
bool is_read_or_refused(const std::string& yaml) {
  const ReadResult result =
      read_settings(as_bytes(yaml), "f.yaml", environment({{"PORT", "1"}}), {});
  if (result) {
    CHECK(check(*result).empty());
    return true;
  }
  REQUIRE(!result.error().empty());
  for (std::size_t i = 0; i < result.error().size(); ++i) {
    const Problem& problem = result.error()[i];
    REQUIRE(problem.line >= 1);
    REQUIRE(problem.column >= 1);
    REQUIRE(!problem.message.empty());
    REQUIRE((i == 0 || problem.line >= result.error()[i - 1].line));
  }
  return false;
}

const std::string& seed_text() {
  static const std::string text = file_text(RINGSIDE_CONFIG_TESTS "/full.yaml");
  return text;
}

}  // namespace

TEST_CASE("AFileCutAnywhereIsReadOrRefused") {
  int valid = 0;
  for (std::size_t size = 0; size <= seed_text().size(); ++size) {
    valid += is_read_or_refused(seed_text().substr(0, size)) ? 1 : 0;
  }
  CHECK(valid > 10);  // at ends of lines
}

TEST_CASE("AFileWithFlippedBytesIsReadOrRefused") {
  Rng rng(1);
  for (int round = 0; round < 1500; ++round) {
    std::string text = seed_text();
    const auto flips = rng.between(1, 4);
    for (std::int64_t i = 0; i < flips; ++i) {
      constexpr std::string_view kBytes = "[]{}:-?&*!|>'\"%@`#,\n \t0a\\~.$";
      char& byte = text[rng.below(text.size())];
      byte = rng.chance(0.7) ? kBytes[rng.below(kBytes.size())] : static_cast<char>(rng.below(256));
    }
    is_read_or_refused(text);
  }
}

TEST_CASE("AFileSplicedFromPiecesIsReadOrRefused") {
  Rng rng(2);
  for (int round = 0; round < 1500; ++round) {
    std::string text = seed_text();
    const auto splices = rng.between(1, 3);
    for (std::int64_t i = 0; i < splices; ++i) {
      const std::string piece = seed_text().substr(rng.below(seed_text().size()), rng.below(200));
      const std::size_t at = rng.below(text.size());
      text.replace(at, rng.chance(0.5) ? 0 : rng.below(100), piece);
    }
    is_read_or_refused(text);
  }
}

TEST_CASE("HostileShapesAreRefusedQuickly") {
  const auto times = [](std::string_view piece, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
      text += piece;
    }
    return text;
  };
  for (const std::string_view piece : {"[", "{", "- ", "? ", "[a: ", "&a ", "!", "a: *x\n",
                                       "\"a\":", "---\n", "a: 1\n", "- [\n"}) {
    CAPTURE(piece);
    CHECK_FALSE(is_read_or_refused(times(piece, 100'000)));
  }
}

}  // namespace ringside::config
