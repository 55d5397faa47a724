#include "config/utf8.h"

#include <fmt/format.h>

#include <cstdint>

namespace ringside::config {

namespace {

constexpr std::size_t kMaxShownBytes = 60;

std::uint32_t byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

}  // namespace

std::size_t utf8_sequence(std::string_view text) {
  const std::uint32_t first = byte_at(text, 0);
  if (first < 0x80) {
    return 1;
  }
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) {
    return 0;
  }
  std::uint32_t code = first & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte_at(text, i) & 0xc0U) != 0x80) {
      return 0;
    }
    code = (code << 6U) | (byte_at(text, i) & 0x3fU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return overlong || surrogate || code > 0x10ffff ? 0 : size;
}

bool is_control(char letter) {
  const auto code = static_cast<unsigned char>(letter);
  return (code < 0x20 && letter != '\t' && letter != '\n' && letter != '\r') || code == 0x7f;
}

bool is_one_line_of_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = utf8_sequence(text);
    const auto code = static_cast<unsigned char>(text.front());
    if (size == 0 || code < 0x20 || code == 0x7f) {
      return false;
    }
    text.remove_prefix(size);
  }
  return true;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    if (out.size() > kMaxShownBytes) {
      return out + "…\"";
    }
    const std::size_t size = utf8_sequence(text);
    const auto code = static_cast<unsigned char>(text.front());
    if (size == 0 || code < 0x20 || code == 0x7f) {
      out += fmt::format("\\x{:02x}", code);
      text.remove_prefix(1);
    } else {
      out += text.substr(0, size);
      text.remove_prefix(size);
    }
  }
  return out + "\"";
}

}  // namespace ringside::config
