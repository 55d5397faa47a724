#include "sidecar/http/start_line.h"

#include <algorithm>
#include <optional>

#include "sidecar/http/chars.h"

namespace ringside::http {
namespace {

// A byte that may stand in no line at all outranks what is wrong where it stands.
Reason reason_at(char c, Reason otherwise) {
  if (c == '\r') {
    return Reason::kBareCr;
  }
  return c == '\0' ? Reason::kNul : otherwise;
}

Reason first_bad_byte(std::string_view line, Reason otherwise) {
  for (const char c : line) {
    if (c == '\r' || c == '\0') {
      return reason_at(c, otherwise);
    }
  }
  return otherwise;
}

// 0 or 1; nullopt for any other version.
std::optional<int> minor_version(std::string_view text) {
  if (text == "HTTP/1.1") {
    return 1;
  }
  if (text == "HTTP/1.0") {
    return 0;
  }
  return std::nullopt;
}

// A scheme of letters only, as llhttp has it.
bool is_absolute(std::string_view target) {
  const std::size_t colon = target.find("://");
  if (colon == target.npos || colon == 0 ||
      !std::ranges::all_of(target.substr(0, colon), is_alpha)) {
    return false;
  }
  const std::string_view rest = target.substr(colon + 3);
  return split_authority(rest.substr(0, rest.find_first_of("/?"))).has_value();
}

std::optional<TargetForm> target_form(Method method, std::string_view target) {
  if (method == Method::kConnect) {
    const std::optional<Authority> authority = split_authority(target);
    return authority && !authority->port.empty() ? std::optional(TargetForm::kAuthority)
                                                 : std::nullopt;
  }
  if (target.front() == '/') {
    return TargetForm::kOrigin;
  }
  if (target == "*") {
    return method == Method::kOptions ? std::optional(TargetForm::kAsterisk) : std::nullopt;
  }
  return is_absolute(target) ? std::optional(TargetForm::kAbsolute) : std::nullopt;
}

}  // namespace

std::optional<Authority> split_authority(std::string_view text) {
  Authority parts;
  std::string_view rest;  // after the host: nothing, or ':' and the port
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == text.npos) {
      return std::nullopt;
    }
    parts.host = text.substr(1, close - 1);
    parts.bracketed = true;
    rest = text.substr(close + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    parts.host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  if (parts.host.empty() || !std::ranges::all_of(parts.host, [&](char c) {
        return is(kHostChar, c) && (c != ':' || parts.bracketed);
      })) {
    return std::nullopt;
  }
  if (rest.empty()) {
    return parts;
  }
  parts.port = rest.substr(1);
  if (rest.front() != ':' || parts.port.size() > 5 || !std::ranges::all_of(parts.port, is_digit)) {
    return std::nullopt;
  }
  return parts;
}

Reason read_request_line(std::string_view line, std::size_t max_target_bytes, RequestHead& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == line.npos || first == 0 || last == first || line.find(' ', first + 1) != last ||
      last + 1 == line.size() || last == first + 1) {
    return first_bad_byte(line, Reason::kBadRequestLine);
  }
  const std::string_view name = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::optional<Method> method = method_from(name);
  if (!method) {
    return first_bad_byte(line, Reason::kBadMethod);
  }
  const std::optional<int> minor = minor_version(line.substr(last + 1));
  if (!minor) {
    return first_bad_byte(line, Reason::kBadVersion);
  }
  if (target.size() > max_target_bytes) {
    return Reason::kTargetTooLong;
  }
  if (!all(kTargetChar, target)) {
    return first_bad_byte(target, Reason::kBadTarget);
  }
  const std::optional<TargetForm> form = target_form(*method, target);
  if (!form) {
    return Reason::kBadTarget;
  }
  head.method = *method;
  head.target = target;
  head.form = *form;
  head.minor_version = *minor;
  return Reason::kNone;
}

Reason read_status_line(std::string_view line, ResponseHead& head) {
  constexpr std::size_t kVersion = 8;
  constexpr std::size_t kShortest = kVersion + 4;  // HTTP/1.1 200
  const std::optional<int> minor = minor_version(line.substr(0, kVersion));
  if (!minor) {
    return first_bad_byte(line,
                          line.starts_with("HTTP/") ? Reason::kBadVersion : Reason::kBadStatusLine);
  }
  if (line.size() < kShortest || line[kVersion] != ' ' ||
      (line.size() > kShortest && line[kShortest] != ' ')) {
    return first_bad_byte(line, Reason::kBadStatusLine);
  }
  int status = 0;
  for (const char c : line.substr(kVersion + 1, 3)) {
    if (!is_digit(c)) {
      return first_bad_byte(line, Reason::kBadStatusLine);
    }
    status = status * 10 + (c - '0');
  }
  const std::string_view reason = line.substr(std::min(line.size(), kShortest + 1));
  if (status < 100 || !all(kValueChar, reason)) {
    return first_bad_byte(line, Reason::kBadStatusLine);
  }
  head.minor_version = *minor;
  head.status = status;
  head.reason = reason;
  return Reason::kNone;
}

}  // namespace ringside::http
