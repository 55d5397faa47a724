#include "sidecar/http/framing.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "sidecar/http/chars.h"
#include "sidecar/http/start_line.h"

namespace ringside::http {
namespace {

constexpr std::size_t kMaxConnectionElements = 32;
constexpr std::uint64_t kMaxLength = std::numeric_limits<std::int64_t>::max();

std::ptrdiff_t count(const Head& head, FieldId id) {
  return head.has(id) ? std::ranges::count(head.fields, id, &Field::id) : 0;
}

std::optional<std::uint64_t> read_length(std::string_view digits) {
  if (digits.empty()) {
    return std::nullopt;
  }
  std::uint64_t length = 0;
  for (const char c : digits) {
    if (!is_digit(c)) {
      return std::nullopt;
    }
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (length > (kMaxLength - digit) / 10) {
      return std::nullopt;
    }
    length = length * 10 + digit;
  }
  return length;
}

// What Content-Length and Transfer-Encoding say; kNone framing if neither is there.
Reason declared_framing(const Head& head, Framing& framing) {
  const std::ptrdiff_t lengths = count(head, FieldId::kContentLength);
  const std::ptrdiff_t codings = count(head, FieldId::kTransferEncoding);
  framing = Framing::none();
  if (codings > 0 && head.minor_version == 0) {
    return Reason::kTeOnHttp10;
  }
  if (lengths > 0 && codings > 0) {
    return Reason::kBothLengths;
  }
  if (codings > 0) {
    const bool only_chunked =
        equals_ignoring_case(head.find(FieldId::kTransferEncoding)->value, "chunked");
    framing = Framing::chunked();
    return codings == 1 && only_chunked ? Reason::kNone : Reason::kBadCoding;
  }
  if (lengths > 1) {
    return Reason::kManyLengths;
  }
  if (lengths == 1) {
    const auto length = read_length(head.find(FieldId::kContentLength)->value);
    if (!length) {
      return Reason::kBadLength;
    }
    framing = Framing::sized(*length);
  }
  return Reason::kNone;
}

}  // namespace

Reason read_connection(Head& head) {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  if (head.has(FieldId::kConnection)) {
    const auto take = [&](std::string_view element) {
      if (!all(kTokenChar, element) || head.connection.size() == kMaxConnectionElements) {
        return false;
      }
      head.connection.push_back(element);
      close = close || equals_ignoring_case(element, "close");
      keep_alive = keep_alive || equals_ignoring_case(element, "keep-alive");
      upgrade = upgrade || equals_ignoring_case(element, "upgrade");
      return true;
    };
    for (const Field& field : head.fields) {
      if (field.id == FieldId::kConnection && !each_element(field.value, take)) {
        return Reason::kBadConnection;
      }
    }
  }
  head.keep_alive = !close && (head.minor_version == 1 || keep_alive);
  head.upgrade = upgrade && head.minor_version == 1 && head.has(FieldId::kUpgrade);
  return Reason::kNone;
}

Reason check_host(const RequestHead& head) {
  const std::ptrdiff_t hosts = count(head, FieldId::kHost);
  if (hosts > 1) {
    return Reason::kManyHosts;
  }
  if (hosts == 0) {
    return head.minor_version == 0 ? Reason::kNone : Reason::kNoHost;
  }
  const std::string_view host = head.find(FieldId::kHost)->value;
  return host.empty() || split_authority(host) ? Reason::kNone : Reason::kBadHost;
}

Reason frame_request(RequestHead& head) {
  const Reason reason = declared_framing(head, head.framing);
  if (reason != Reason::kNone) {
    return reason;
  }
  if (head.method == Method::kConnect && head.framing.kind != Framing::Kind::kNone) {
    return Reason::kConnectBody;
  }
  const Field* expect = head.find(FieldId::kExpect);
  head.expect_continue = expect != nullptr && head.minor_version == 1 &&
                         equals_ignoring_case(expect->value, "100-continue");
  return Reason::kNone;
}

Reason frame_response(Method method, bool upgrade_requested, ResponseHead& head) {
  const Reason reason = declared_framing(head, head.framing);
  if (reason != Reason::kNone) {
    return reason;
  }
  const bool switched = head.status == 101;
  if (switched && !upgrade_requested) {
    return Reason::kUnexpectedUpgrade;
  }
  const bool connected = method == Method::kConnect && head.status / 100 == 2;
  head.interim = head.status / 100 == 1 && !switched;
  head.tunnel = switched || connected;
  if (head.interim && head.framing.has_body()) {
    return Reason::kInterimBody;
  }
  const bool never_a_body = head.status / 100 == 1 || head.status == 204;
  if (never_a_body || connected) {
    // A body announced where none may be: what follows can't be trusted to be the next response.
    head.keep_alive = head.keep_alive && !head.framing.has_body();
    head.framing = Framing::none();
  } else if (head.status == 304 || method == Method::kHead) {
    head.framing = Framing::none();
  } else if (head.framing.kind == Framing::Kind::kNone) {
    head.framing = Framing::until_close();
    head.keep_alive = false;
  }
  return Reason::kNone;
}

}  // namespace ringside::http
