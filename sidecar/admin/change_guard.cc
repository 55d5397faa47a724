#include "sidecar/admin/change_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "config/address.h"

namespace ringside::admin {

namespace {

// Host without port, as in the field: an IPv6 address stands in brackets.
bool is_address_or_localhost(const std::string& field) {
  std::string text = field;
  const bool bracketed = text.starts_with('[');
  const bool with_port = bracketed ? !text.ends_with(']') : text.find(':') != std::string::npos;
  if (!with_port) {
    text += ":0";
  }
  const auto address = config::parse_address(text);
  return address && (config::is_ip_host(address->host) || address->host == "localhost");
}

std::string lowered(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

}  // namespace

std::optional<Trouble> refuse_change(const std::vector<std::string>& hosts,
                                     const std::vector<std::string>& origins) {
  if (hosts.size() != 1 || !is_address_or_localhost(hosts.front())) {
    return Trouble{TroubleWord::kBadHost,
                   "a change needs one Host field that is an address or localhost, so that no name "
                   "of a foreign page leads here"};
  }
  if (origins.empty()) {
    return std::nullopt;
  }
  if (origins.size() > 1 || lowered(origins.front()) != "http://" + lowered(hosts.front())) {
    return Trouble{TroubleWord::kForeignOrigin,
                   "a change is not taken from a page of another origin"};
  }
  return std::nullopt;
}

}  // namespace ringside::admin
