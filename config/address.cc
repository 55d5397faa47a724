#include "config/address.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

namespace ringside::config {

namespace {

using Groups = std::array<std::uint16_t, 8>;

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

// Decimal digits without a leading zero, at most `high`.
std::optional<unsigned> decimal(std::string_view text, unsigned high) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (text.empty() || !is_digit(text.front()) || leading_zero || error != std::errc() ||
      end != text.data() + text.size() || value > high) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::uint32_t> parse_v4(std::string_view text) {
  std::uint32_t value = 0;
  for (int part = 0; part < 4; ++part) {
    const std::size_t dot = part < 3 ? text.find('.') : text.size();
    const auto number =
        dot == std::string_view::npos ? std::nullopt : decimal(text.substr(0, dot), 255);
    if (!number) {
      return std::nullopt;
    }
    value = (value << 8U) | *number;
    text.remove_prefix(part < 3 ? dot + 1 : dot);
  }
  return value;
}

// Groups of hex digits between colons, the last two possibly as IPv4; nothing about "::".
bool parse_groups(std::string_view text, Groups& out, std::size_t& count) {
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(group);
      if (!v4 || count > 6) {
        return false;
      }
      out[count++] = static_cast<std::uint16_t>(*v4 >> 16U);
      out[count++] = static_cast<std::uint16_t>(*v4);
      return true;
    }
    const char* last = group.data() + group.size();
    std::uint16_t value = 0;
    const auto [end, error] = std::from_chars(group.data(), last, value, 16);
    if (group.empty() || group.size() > 4 || error != std::errc() || end != last || count == 8) {
      return false;
    }
    out[count++] = value;
    if (colon == std::string_view::npos) {
      return true;
    }
    text.remove_prefix(colon + 1);
    if (text.empty()) {
      return false;  // ends in a single colon
    }
  }
  return true;
}

std::optional<Groups> parse_v6(std::string_view text) {
  const std::size_t gap = text.find("::");
  Groups groups{};
  std::size_t count = 0;
  if (gap == std::string_view::npos) {
    return parse_groups(text, groups, count) && count == 8 ? std::optional(groups) : std::nullopt;
  }
  Groups tail{};
  std::size_t tail_count = 0;
  const std::string_view head = text.substr(0, gap);
  if (head.find('.') != std::string_view::npos || !parse_groups(head, groups, count) ||
      !parse_groups(text.substr(gap + 2), tail, tail_count) || count + tail_count > 7) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < tail_count; ++i) {
    groups[8 - tail_count + i] = tail[i];
  }
  return groups;
}

// RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as "::".
std::string show_v6(const Groups& groups) {
  std::size_t best = 8;
  std::size_t best_size = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t size = 0;
    while (i + size < 8 && groups[i + size] == 0) {
      ++size;
    }
    if (size > best_size) {
      best = i;
      best_size = size;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == best) {
      text += "::";
      i += best_size - 1;
      continue;
    }
    text += text.empty() || text.back() == ':' ? "" : ":";
    text += fmt::format("{:x}", groups[i]);
  }
  return text;
}

Result<std::string> parse_name(std::string_view text) {
  if (text.empty() || text.size() > 253) {
    return fail(ErrorCode::kInvalid, text.empty() ? "the host is missing" : "the host is too long");
  }
  std::string name;
  std::size_t label = 0;
  bool numeric = true;  // of the last label
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter =
        text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    if (letter == '.') {
      if (label == 0 || text[i - 1] == '-' || i + 1 == text.size()) {
        return fail(ErrorCode::kInvalid, "the host is no name");
      }
      label = 0;
      numeric = true;
    } else {
      const bool ok = is_digit(letter) || (letter >= 'a' && letter <= 'z') || letter == '_' ||
                      (letter == '-' && label > 0);
      if (!ok || ++label > 63) {
        return fail(ErrorCode::kInvalid, "the host is neither a name nor an address");
      }
      numeric = numeric && is_digit(letter);
    }
    name += letter;
  }
  if (numeric || name.back() == '-') {
    return fail(ErrorCode::kInvalid,
                numeric ? "the host is no IPv4 address" : "the host is no name");
  }
  return name;
}

}  // namespace

Result<std::string> parse_host(std::string_view text) {
  const bool brackets = text.size() >= 2 && text.front() == '[' && text.back() == ']';
  const std::string_view inner = brackets ? text.substr(1, text.size() - 2) : text;
  if (brackets || inner.find(':') != std::string_view::npos) {
    const auto groups = parse_v6(inner);
    if (!groups) {
      return fail(ErrorCode::kInvalid, "the host is no IPv6 address");
    }
    return show_v6(*groups);
  }
  if (parse_v4(text)) {
    return std::string(text);
  }
  return parse_name(text);
}

Result<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || (!text.empty() && text.back() == ']')) {
    return fail(ErrorCode::kInvalid, "the port is missing");
  }
  const std::string_view host = text.substr(0, colon);
  if (host.find(':') != std::string_view::npos && (host.front() != '[' || host.back() != ']')) {
    return fail(ErrorCode::kInvalid, "an IPv6 host needs brackets: [::1]:80");
  }
  const auto port = decimal(text.substr(colon + 1), 65535);
  if (!port) {
    return fail(ErrorCode::kInvalid, "the port is not in 0..65535");
  }
  Result<std::string> read = parse_host(host);
  if (!read) {
    return std::unexpected(read.error());
  }
  return Address{std::move(*read), static_cast<std::uint16_t>(*port)};
}

bool is_loopback_host(std::string_view host) {
  if (host == "localhost" || host == "::1") {
    return true;
  }
  const auto v4 = parse_v4(host);
  return v4 && (*v4 >> 24U) == 127;
}

bool is_loopback(const Address& address) {
  return is_loopback_host(address.host);
}

bool is_wildcard_host(std::string_view host) {
  return host == "0.0.0.0" || host == "::";
}

bool is_ip_host(std::string_view host) {
  return parse_v4(host) || parse_v6(host);
}

}  // namespace ringside::config
