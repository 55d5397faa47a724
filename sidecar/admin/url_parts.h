// The target of a request, decoded strictly (RFC 3986): what is not exactly right is refused, never
// guessed at.
//
// Pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/base/error.h"

namespace ringside::admin {

// %XX decoded. Refused: a % without two hexadecimal digits, a byte that must be written as one
// (anything but letters, digits and -._~!$&'()*+,;=:@/), and `+` where `plus_is_refused`, since
// some read a space there.
Result<std::string> percent_decoded(std::string_view text, bool plus_is_refused);

using Query = std::vector<std::pair<std::string, std::string>>;

// NAME=VALUE or NAME, joined by &, decoded. Refused: empty names, a name twice.
Result<Query> parse_query(std::string_view text);

}  // namespace ringside::admin
