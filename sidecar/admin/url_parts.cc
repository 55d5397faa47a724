#include "sidecar/admin/url_parts.h"

#include <fmt/format.h>

#include <algorithm>

namespace ringside::admin {

namespace {

constexpr std::string_view kPlain = "-._~!$&'()*+,;=:@/";

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kPlain.find(c) != std::string_view::npos;
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace

Result<std::string> percent_decoded(std::string_view text, bool plus_is_refused) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '+' && plus_is_refused) {
      return fail(ErrorCode::kInvalid, "write a plus as %2B and a space as %20");
    }
    if (c != '%') {
      if (!is_plain(c)) {
        return fail(ErrorCode::kInvalid, fmt::format("byte {} must be written as %{:02X}", i,
                                                     static_cast<unsigned char>(c)));
      }
      out += c;
      continue;
    }
    const auto high = text.size() - i > 2 ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = text.size() - i > 2 ? hex_digit(text[i + 2]) : std::nullopt;
    if (!high || !low) {
      return fail(ErrorCode::kInvalid, "a % is followed by two hexadecimal digits");
    }
    out += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return out;
}

Result<Query> parse_query(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    const std::size_t equals = item.find('=');
    auto name = percent_decoded(item.substr(0, equals), true);
    auto value = percent_decoded(
        equals == std::string_view::npos ? std::string_view{} : item.substr(equals + 1), true);
    if (!name || !value) {
      return std::unexpected(!name ? name.error() : value.error());
    }
    if (name->empty()) {
      return fail(ErrorCode::kInvalid, "a parameter without a name");
    }
    if (std::ranges::any_of(query, [&](const auto& other) { return other.first == *name; })) {
      return fail(ErrorCode::kInvalid, fmt::format("{} is given twice", *name));
    }
    query.emplace_back(std::move(*name), std::move(*value));
  }
  return query;
}

}  // namespace ringside::admin
