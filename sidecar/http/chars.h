// Character classes of RFC 9110 and RFC 9112, as one table. Internal to this room.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ringside::http {

enum CharClass : std::uint8_t {
  kTokenChar = 1,   // tchar
  kValueChar = 2,   // tab, space, visible ASCII and bytes over 0x7f
  kTargetChar = 4,  // visible ASCII but '#', which never is in a target
  kHostChar = 8,    // reg-name, or the inside of an IP literal
};

consteval std::array<std::uint8_t, 256> make_char_classes() {
  std::array<std::uint8_t, 256> classes{};
  constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
  constexpr std::string_view kHostMarks = "-._~!$&'()*+;=%:";
  for (unsigned c = 0; c < 256; ++c) {
    const char letter = static_cast<char>(c);
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    unsigned bits = 0;
    const auto put = [&bits](CharClass which, bool member) {
      bits |= member ? static_cast<unsigned>(which) : 0U;
    };
    put(kTokenChar, alnum || kTokenMarks.find(letter) != kTokenMarks.npos);
    put(kValueChar, c == '\t' || (c >= 0x20 && c != 0x7f));
    put(kTargetChar, c > 0x20 && c < 0x7f && c != '#');
    put(kHostChar, alnum || kHostMarks.find(letter) != kHostMarks.npos);
    classes[c] = static_cast<std::uint8_t>(bits);
  }
  return classes;
}
inline constexpr std::array<std::uint8_t, 256> kCharClasses = make_char_classes();

constexpr bool is(CharClass wanted, char c) {
  return (kCharClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}
constexpr bool all(CharClass wanted, std::string_view text) {
  for (const char c : text) {
    if (!is(wanted, c)) {
      return false;
    }
  }
  return true;
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// Without white space at both ends.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

// Calls visit(element) for each element of a comma-separated list that is not empty, until it
// returns false; false if it did.
template <typename Visit>
constexpr bool each_element(std::string_view list, Visit&& visit) {
  while (true) {
    const std::size_t comma = list.find(',');
    const std::string_view element = trim(list.substr(0, comma));
    if (!element.empty() && !visit(element)) {
      return false;
    }
    if (comma == list.npos) {
      return true;
    }
    list.remove_prefix(comma + 1);
  }
}

}  // namespace ringside::http
