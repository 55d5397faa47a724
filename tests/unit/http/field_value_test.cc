#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "sidecar/http/validator.h"

namespace ringside::http {
namespace {

bool is_value_char(int byte) {
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

// The value that a line of the same name is read to; or why it is refused.
Reason read(const std::string& value, std::string& read_value) {
  std::vector<Field> fields;
  const std::string raw = "X:" + value + "\r\n\r\n";
  const Reason reason = read_trailers(raw, Limits{}, fields);
  read_value = fields.empty() ? "" : fields[0].value;
  return reason;
}

}  // namespace

// They are looked at eight at a time where they can be: so each byte, at each place of each length.
TEST_CASE("NoByteButAValueCharacterPassesWhereverItStands") {
  for (std::size_t length = 1; length <= 25; ++length) {
    for (std::size_t place = 0; place < length; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        if (byte == '\n') continue;  // ends the line
        std::string value(length, place % 2 == 0 ? '~' : '\xff');
        value[place] = static_cast<char>(byte);
        std::string got;
        const bool passed = read(value, got) == Reason::kNone;
        if (passed != is_value_char(byte)) {
          FAIL_CHECK("byte ", byte, " at ", place, " of ", length);
        }
        if (passed && byte != ' ' && byte != '\t') {
          REQUIRE(got == value);
        }
      }
    }
  }
}

TEST_CASE("TheFirstBadByteOfAValueSaysWhy") {
  std::string got;
  const std::string before(19, 'v');
  CHECK(read(before + '\0' + "aaaaaaaa\r", got) == Reason::kNul);
  CHECK(read(before + '\r' + "aaaaaaaa\x01", got) == Reason::kBareCr);
  CHECK(read(before + "\t\x7f" + "aaaaaaa\r", got) == Reason::kBadValue);
}

}  // namespace ringside::http
