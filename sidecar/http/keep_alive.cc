#include "sidecar/http/keep_alive.h"

#include <algorithm>
#include <string_view>

#include "sidecar/http/chars.h"

namespace ringside::http {
namespace {

constexpr std::size_t kMaxDigits = 9;  // what fits, and no server means more

std::optional<std::uint32_t> read_number(std::string_view digits) {
  if (digits.empty() || digits.size() > kMaxDigits || !std::ranges::all_of(digits, is_digit)) {
    return std::nullopt;
  }
  std::uint32_t number = 0;
  for (const char c : digits) {
    number = number * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return number;
}

// `name=value` or `name`; false when it is neither, or is known and has been there before.
bool read_parameter(std::string_view element, KeepAliveTerms& terms) {
  const std::size_t equals = element.find('=');
  const std::string_view name = element.substr(0, equals);
  const std::string_view value = equals == element.npos ? "" : element.substr(equals + 1);
  const bool timeout = equals_ignoring_case(name, "timeout");
  if (timeout || equals_ignoring_case(name, "max")) {
    const auto number = read_number(value);
    if (!number || (timeout ? terms.timeout.has_value() : terms.max.has_value())) {
      return false;
    }
    if (timeout) {
      terms.timeout = seconds{*number};
    } else {
      terms.max = number;
    }
    return true;
  }
  return !name.empty() && all(kTokenChar, name) && all(kTokenChar, value) &&
         (equals == element.npos || !value.empty());
}

}  // namespace

KeepAliveTerms read_keep_alive(const Head& head) {
  KeepAliveTerms terms;
  for (const Field& field : head.fields) {
    const auto take = [&terms](std::string_view element) { return read_parameter(element, terms); };
    if (field.id == FieldId::kKeepAlive && !each_element(field.value, take)) {
      return {};
    }
  }
  return terms;
}

}  // namespace ringside::http
