// HOST:PORT as people write it, and what may be asked of it without a resolver.
//
// Used by the YAML reader, the command line and the proxy. Pure, any thread. A host is an IPv4
// address, an IPv6 address (in brackets when a port follows; kept without brackets in the short
// form of RFC 5952) or a DNS name (kept in lower case).
#pragma once

#include <string>
#include <string_view>

#include "config/base/error.h"
#include "config/settings.h"

namespace ringside::config {

// Reads host:port or [v6]:port; port 0..65535. The message says what is wrong, without the text
// itself.
Result<Address> parse_address(std::string_view text);

// Reads a host alone: IPv4, IPv6 (with or without brackets) or name.
Result<std::string> parse_host(std::string_view text);

// 127.0.0.0/8, ::1 or localhost. A name other than localhost is not known to be loopback.
bool is_loopback(const Address& address);
bool is_loopback_host(std::string_view host);

// 0.0.0.0 or ::, which can be listened on but not reached.
bool is_wildcard_host(std::string_view host);

// Is the text an IPv4 or IPv6 address in the form that parse_host gives, so that no resolver is
// needed?
bool is_ip_host(std::string_view host);

}  // namespace ringside::config
