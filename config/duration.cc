#include "config/duration.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <span>

namespace ringside::config {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Largest first.
constexpr Unit kTimeUnits[] = {{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}};
constexpr Unit kSizeUnits[] = {{"MiB", 1024 * 1024}, {"KiB", 1024}, {"B", 1}};

constexpr std::size_t kMaxDigits = 9;  // no product with a factor can overflow

std::optional<std::uint64_t> parse(std::string_view text, std::span<const Unit> units) {
  const std::size_t digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos || digits > kMaxDigits) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + digits, number);
  for (const Unit& unit : units) {
    if (text.substr(digits) == unit.name) {
      return number * unit.factor;
    }
  }
  return std::nullopt;
}

std::string show(std::uint64_t value, std::span<const Unit> units, std::string_view zero) {
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.factor == 0) {
      return fmt::format("{}{}", value / unit.factor, unit.name);
    }
  }
  return std::string(zero);
}

}  // namespace

Result<milliseconds> parse_duration(std::string_view text) {
  const auto value = parse(text, kTimeUnits);
  if (!value) {
    return fail(ErrorCode::kInvalid, "expected a duration such as 100ms, 2s, 5m or 1h");
  }
  return milliseconds(static_cast<std::int64_t>(*value));
}

std::string show_duration(milliseconds value) {
  return show(static_cast<std::uint64_t>(value.count()), kTimeUnits, "0s");
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto value = parse(text, kSizeUnits);
  if (!value) {
    return fail(ErrorCode::kInvalid, "expected a size such as 512B, 64KiB or 1MiB");
  }
  return *value;
}

std::string show_size(std::uint64_t bytes) {
  return show(bytes, kSizeUnits, "0B");
}

}  // namespace ringside::config
