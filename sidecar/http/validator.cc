#include "sidecar/http/validator.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sidecar/http/chars.h"
#include "sidecar/http/framing.h"
#include "sidecar/http/start_line.h"

namespace ringside::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

// Takes the next line off `rest`, without its end. HeadReader saw to it that there is one.
std::string_view take_line(std::string_view& rest) {
  const std::size_t feed = rest.find('\n');
  const std::string_view line = rest.substr(0, feed - 1);
  rest.remove_prefix(feed + 1);
  return line;
}

// What is wrong with a line whose name ends at `at`, where there is no colon.
Reason name_reason(std::string_view line, std::size_t at) {
  if (line.find('\0') != line.npos) {
    return Reason::kNul;
  }
  if (line.find('\r') != line.npos) {
    return Reason::kBareCr;
  }
  if (line.find(':') == line.npos) {
    return Reason::kNoColon;
  }
  const std::size_t after = line.find_first_not_of(" \t", at);
  return is_blank(line[at]) && line[after] == ':' ? Reason::kSpaceBeforeColon : Reason::kBadName;
}

Reason value_reason(char bad) {
  if (bad == '\0') {
    return Reason::kNul;
  }
  return bad == '\r' ? Reason::kBareCr : Reason::kBadValue;
}

// The eight bytes from there on are value characters: none of them is below 0x20 or 0x7f. False
// does not say that one of them is not: a tab is.
bool eight_plain(const char* at) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  std::uint64_t eight = 0;
  std::memcpy(&eight, at, sizeof eight);
  const std::uint64_t deletes = eight ^ (0x7f * kEach);  // a byte of 0 where there is one
  const std::uint64_t below = (eight - 0x20 * kEach) & ~eight;
  const std::uint64_t deleted = (deletes - kEach) & ~deletes;
  return ((below | deleted) & (0x80 * kEach)) == 0;
}

// How many bytes at the front of `value` are value characters for sure. Most of a head is values.
std::size_t plain_front(std::string_view value) {
  constexpr std::size_t kStep = 8;
  if (value.size() < kStep) {
    return 0;
  }
  const std::size_t last = value.size() - kStep;
  for (std::size_t at = 0; at < last; at += kStep) {
    if (!eight_plain(value.data() + at)) {
      return at;
    }
  }
  return eight_plain(value.data() + last) ? value.size() : last;
}

// Parsers differ on tabs around the values that frame a message: none may stand there.
Reason tab_reason(FieldId id, std::string_view value) {
  if (id != FieldId::kContentLength && id != FieldId::kTransferEncoding) {
    return Reason::kNone;
  }
  if (value.find('\t') == value.npos) {
    return Reason::kNone;
  }
  return id == FieldId::kContentLength ? Reason::kBadLength : Reason::kBadCoding;
}

Reason read_field(std::string_view line, Field& field) {
  if (is_blank(line.front())) {
    return Reason::kFolded;
  }
  std::size_t at = 0;
  while (at < line.size() && is(kTokenChar, line[at])) {
    ++at;
  }
  if (at == line.size() || line[at] != ':') {
    return name_reason(line, at);
  }
  if (at == 0) {
    return Reason::kEmptyName;
  }
  const std::string_view value = line.substr(at + 1);
  for (std::size_t i = plain_front(value); i < value.size(); ++i) {
    if (!is(kValueChar, value[i])) {
      return value_reason(value[i]);
    }
  }
  field.name = line.substr(0, at);
  field.value = trim(value);
  field.id = field_id(field.name);
  return tab_reason(field.id, value);
}

// Reads the lines up to the empty one.
Reason read_fields(std::string_view rest, std::size_t max_fields, std::vector<Field>& fields) {
  while (!rest.starts_with(kLineEnd)) {
    if (fields.size() == max_fields) {
      return Reason::kTooManyFields;
    }
    Field field;
    const Reason reason = read_field(take_line(rest), field);
    if (reason != Reason::kNone) {
      return reason;
    }
    fields.push_back(field);
  }
  return Reason::kNone;
}

void clear(Head& head) {
  head.fields.clear();
  head.connection.clear();
  head.present.clear();
  head.framing = Framing::none();
  head.upgrade = false;
}

// The fields, and what they say of the connection.
Reason read_rest(std::string_view rest, const Limits& limits, Head& head) {
  const Reason reason = read_fields(rest, limits.fields, head.fields);
  if (reason != Reason::kNone) {
    return reason;
  }
  for (const Field& field : head.fields) {
    head.present.add(field.id);
  }
  return read_connection(head);
}

constexpr FieldSet kNotInTrailers{
    FieldId::kHost,       FieldId::kContentLength,     FieldId::kTransferEncoding,
    FieldId::kConnection, FieldId::kKeepAlive,         FieldId::kProxyConnection,
    FieldId::kTe,         FieldId::kTrailer,           FieldId::kUpgrade,
    FieldId::kExpect,     FieldId::kProxyAuthenticate, FieldId::kProxyAuthorization,
    FieldId::kVia,        FieldId::kXForwardedFor,     FieldId::kXForwardedOther,
    FieldId::kRingside,   FieldId::kXRequestId,        FieldId::kTraceparent};

}  // namespace

Reason read_request_head(std::string_view raw, const Limits& limits, RequestHead& head) {
  clear(head);
  Reason reason = read_request_line(take_line(raw), limits.target_bytes, head);
  if (reason == Reason::kNone) {
    reason = read_rest(raw, limits, head);
  }
  if (reason == Reason::kNone) {
    reason = check_host(head);
  }
  return reason == Reason::kNone ? frame_request(head) : reason;
}

Reason read_response_head(std::string_view raw, const Limits& limits, Method method,
                          bool upgrade_requested, ResponseHead& head) {
  clear(head);
  Reason reason = read_status_line(take_line(raw), head);
  if (reason == Reason::kNone) {
    reason = read_rest(raw, limits, head);
  }
  return reason == Reason::kNone ? frame_response(method, upgrade_requested, head) : reason;
}

Reason read_trailers(std::string_view raw, const Limits& limits, std::vector<Field>& trailers) {
  trailers.clear();
  const Reason reason = read_fields(raw, limits.fields, trailers);
  std::erase_if(trailers, [](const Field& field) { return kNotInTrailers.has(field.id); });
  return reason;
}

}  // namespace ringside::http
