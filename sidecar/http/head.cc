#include "sidecar/http/head.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "sidecar/http/chars.h"

namespace ringside::http {
namespace {

constexpr std::array<std::string_view, 34> kMethodNames = {
    "DELETE",     "GET",      "HEAD",       "POST",     "PUT",    "CONNECT",   "OPTIONS",
    "TRACE",      "COPY",     "LOCK",       "MKCOL",    "MOVE",   "PROPFIND",  "PROPPATCH",
    "SEARCH",     "UNLOCK",   "BIND",       "REBIND",   "UNBIND", "ACL",       "REPORT",
    "MKACTIVITY", "CHECKOUT", "MERGE",      "M-SEARCH", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE",
    "PATCH",      "PURGE",    "MKCALENDAR", "LINK",     "UNLINK", "SOURCE"};
static_assert(kMethodNames[static_cast<std::size_t>(Method::kSource)] == "SOURCE");

struct KnownField {
  std::string_view name;
  FieldId id;
};

// Names of one length stand together: the length picks the few that are compared.
constexpr std::array kKnownFields = {
    KnownField{"te", FieldId::kTe},
    KnownField{"via", FieldId::kVia},
    KnownField{"host", FieldId::kHost},
    KnownField{"expect", FieldId::kExpect},
    KnownField{"trailer", FieldId::kTrailer},
    KnownField{"upgrade", FieldId::kUpgrade},
    KnownField{"connection", FieldId::kConnection},
    KnownField{"keep-alive", FieldId::kKeepAlive},
    KnownField{"traceparent", FieldId::kTraceparent},
    KnownField{"x-request-id", FieldId::kXRequestId},
    KnownField{"content-length", FieldId::kContentLength},
    KnownField{"x-forwarded-for", FieldId::kXForwardedFor},
    KnownField{"proxy-connection", FieldId::kProxyConnection},
    KnownField{"transfer-encoding", FieldId::kTransferEncoding},
    KnownField{"proxy-authenticate", FieldId::kProxyAuthenticate},
    KnownField{"proxy-authorization", FieldId::kProxyAuthorization},
};
constexpr std::size_t kLongestKnown = kKnownFields.back().name.size();

struct Range {
  std::uint8_t begin = 0;
  std::uint8_t end = 0;
};
consteval std::array<Range, kLongestKnown + 1> ranges_by_length() {
  std::array<Range, kLongestKnown + 1> ranges{};
  for (std::size_t i = 0; i < kKnownFields.size(); ++i) {
    Range& range = ranges[kKnownFields[i].name.size()];
    if (range.end == 0) {
      range.begin = static_cast<std::uint8_t>(i);
    }
    range.end = static_cast<std::uint8_t>(i + 1);
  }
  return ranges;
}
constexpr auto kRanges = ranges_by_length();

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() > prefix.size() && equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

}  // namespace

std::string_view to_string(Method method) {
  return kMethodNames[static_cast<std::size_t>(method)];
}

std::optional<Method> method_from(std::string_view name) {
  const auto* found = std::find(kMethodNames.begin(), kMethodNames.end(), name);
  if (found == kMethodNames.end()) {
    return std::nullopt;
  }
  return static_cast<Method>(found - kMethodNames.begin());
}

bool is_idempotent(Method method) {
  switch (method) {
    case Method::kGet:
    case Method::kHead:
    case Method::kOptions:
    case Method::kTrace:
    case Method::kPut:
    case Method::kDelete:
    case Method::kCopy:
    case Method::kMkcol:
    case Method::kMove:
    case Method::kPropfind:
    case Method::kProppatch:
    case Method::kSearch:
    case Method::kUnlock:
    case Method::kBind:
    case Method::kRebind:
    case Method::kUnbind:
    case Method::kAcl:
    case Method::kReport:
    case Method::kMkactivity:
    case Method::kCheckout:
    case Method::kMerge:
    case Method::kMkcalendar:
    case Method::kLink:
    case Method::kUnlink: return true;
    default: return false;
  }
}

FieldId field_id(std::string_view name) {
  if (name.size() <= kLongestKnown) {
    const Range range = kRanges[name.size()];
    for (std::size_t i = range.begin; i < range.end; ++i) {
      if (equals_ignoring_case(name, kKnownFields[i].name)) {
        return kKnownFields[i].id;
      }
    }
  }
  if (name.size() > 2 && lower(name[0]) == 'x' && name[1] == '-') {
    if (starts_with_ignoring_case(name, "x-ringside-")) {
      return FieldId::kRingside;
    }
    if (starts_with_ignoring_case(name, "x-forwarded-")) {
      return FieldId::kXForwardedOther;
    }
  }
  return FieldId::kOther;
}

const Field* Head::find(FieldId id) const {
  if (id == FieldId::kOther || !present.has(id)) {
    return nullptr;
  }
  const auto found = std::ranges::find(fields, id, &Field::id);
  return found == fields.end() ? nullptr : &*found;
}

const Field* Head::find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      fields, [name](const Field& field) { return equals_ignoring_case(field.name, name); });
  return found == fields.end() ? nullptr : &*found;
}

bool Head::connection_lists(std::string_view name) const {
  return std::ranges::any_of(
      connection, [name](std::string_view element) { return equals_ignoring_case(element, name); });
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  // Most that are equal are so as they stand.
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return x == y || lower(x) == lower(y);
         });
}

}  // namespace ringside::http
