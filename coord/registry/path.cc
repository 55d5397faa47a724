#include "coord/registry/path.h"

#include <fmt/format.h>

#include "coord/registry/registry.h"

namespace ringside::coord {
namespace {

constexpr bool refused(std::uint32_t code) {
  return code <= 0x1f || (code >= 0x7f && code <= 0x9f) || (code >= 0xd800 && code <= 0xf8ff) ||
         code >= 0xfff0;
}

// Takes one code point off the front of `rest`; false on bytes that are no UTF-8. Four-byte forms
// are past fff0, so refused anyway.
bool take_code_point(std::string_view& rest, std::uint32_t& code) {
  const auto byte = [&rest](std::size_t i) { return static_cast<std::uint8_t>(rest[i]); };
  const auto tail = [&](std::size_t i) { return rest.size() > i && (byte(i) & 0xc0U) == 0x80U; };
  std::size_t size = 0;
  if (byte(0) < 0x80) {
    code = byte(0);
    size = 1;
  } else if ((byte(0) & 0xe0U) == 0xc0U && tail(1)) {
    code = (byte(0) & 0x1fU) << 6U | (byte(1) & 0x3fU);
    size = code >= 0x80 ? 2 : 0;  // a longer form than needed is not UTF-8
  } else if ((byte(0) & 0xf0U) == 0xe0U && tail(1) && tail(2)) {
    code = (byte(0) & 0x0fU) << 12U | (byte(1) & 0x3fU) << 6U | (byte(2) & 0x3fU);
    size = code >= 0x800 ? 3 : 0;
  }
  rest.remove_prefix(size);
  return size != 0;
}

}  // namespace

bool valid_name(std::string_view name) {
  if (name.empty() || name == "." || name == "..") {
    return false;
  }
  while (!name.empty()) {
    std::uint32_t code = 0;
    if (!take_code_point(name, code) || refused(code) || code == '/') {
      return false;
    }
  }
  return true;
}

bool valid_path(std::string_view path) {
  if (path.empty() || path.front() != '/' || path.size() > kMaxPathBytes) {
    return false;
  }
  if (path.size() == 1) {
    return true;
  }
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::size_t end = std::min(path.find('/'), path.size());
    if (!valid_name(path.substr(0, end))) {
      return false;
    }
    path.remove_prefix(end);
  }
  return true;
}

std::string_view parent_path(std::string_view path) {
  if (path.size() <= 1) {
    return {};
  }
  const std::size_t slash = path.rfind('/');
  return path.substr(0, slash == 0 ? 1 : slash);
}

std::string_view last_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool in_scope(std::string_view path) {
  return path.starts_with(kObserverScope) &&
         (path.size() == kObserverScope.size() || path[kObserverScope.size()] == '/');
}

std::string sequence_suffix(std::int32_t counter) {
  return fmt::format("{:010}", counter);
}

}  // namespace ringside::coord
