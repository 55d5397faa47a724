// The first line of a head: request line with its target form, and status line (RFC 9112, 3 and 4).
// Internal to this room; called by the validator.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "sidecar/http/head.h"
#include "sidecar/http/reason.h"

namespace ringside::http {

// `line` comes without its CRLF. Both fill `head` and give kNone, or say what is wrong.
Reason read_request_line(std::string_view line, std::size_t max_target_bytes, RequestHead& head);
Reason read_status_line(std::string_view line, ResponseHead& head);

// The parts of `host` or `host:port` (RFC 9110, 7.2).
struct Authority {
  std::string_view host;  // reg-name, IPv4 address, or IPv6 address without its brackets
  std::string_view port;  // digits; empty if none
  bool bracketed = false;
};
// nullopt for an empty host, user information, or anything that can't be an authority.
std::optional<Authority> split_authority(std::string_view text);

}  // namespace ringside::http
