#include "sidecar/http/route.h"

#include <algorithm>
#include <optional>

#include "sidecar/http/chars.h"
#include "sidecar/http/start_line.h"

namespace ringside::http {
namespace {

constexpr std::string_view kPrefix = "/svc/";
constexpr std::string_view kScheme = "http://";
constexpr std::size_t kMaxRequestId = 128;

bool is_ipv4(std::string_view host) {
  int parts = 0;
  while (true) {
    const std::size_t dot = host.find('.');
    const std::string_view part = host.substr(0, dot);
    if (part.empty() || part.size() > 3 || !std::ranges::all_of(part, is_digit)) {
      return false;
    }
    ++parts;
    if (dot == host.npos) {
      return parts == 4;
    }
    host.remove_prefix(dot + 1);
  }
}

// `host` without its last dot, and without the first of `domains` that it ends in.
std::string_view strip_domain(std::string_view host, std::span<const std::string> domains) {
  if (host.ends_with('.')) {
    host.remove_suffix(1);
  }
  for (const std::string_view domain : domains) {
    if (domain.empty() || host.size() <= domain.size() + 1) {
      continue;
    }
    const std::size_t dot = host.size() - domain.size() - 1;
    if (host[dot] == '.' && equals_ignoring_case(host.substr(dot + 1), domain)) {
      return host.substr(0, dot);
    }
  }
  return host;
}

bool names_nothing(const Authority& authority, const RouteRules& rules) {
  return authority.bracketed || is_ipv4(authority.host) ||
         equals_ignoring_case(authority.host, "localhost") ||
         (!rules.own_host.empty() && equals_ignoring_case(authority.host, rules.own_host));
}

// What is left of a target behind its name or authority: gets the '/' that it lacks.
Target origin_form(std::string_view rest) {
  return rest.starts_with('/') ? Target{"", rest} : Target{"/", rest};
}

void set_service(Route& route, std::string_view host, const RouteRules& rules) {
  route.host = host;
  route.service = ServiceName::from(strip_domain(host, rules.domains));
  route.kind = route.service.empty() ? Route::Kind::kNotAService : Route::Kind::kService;
}

// /svc/NAME, /svc/NAME/rest, /svc/NAME?query; leaves the route unnamed without one.
void route_by_prefix(Route& route, const RouteRules& rules) {
  std::string_view path = route.target.rest;
  if (!route.target.prefix.empty() || !path.starts_with(kPrefix)) {
    return;
  }
  path.remove_prefix(kPrefix.size());
  const std::size_t end = std::min(path.find_first_of("/?"), path.size());
  if (end == 0) {
    return;
  }
  set_service(route, path.substr(0, end), rules);
  route.target = origin_form(path.substr(end));
}

// The target's authority, and the target in the form in which the service sees it.
struct Split {
  std::string_view authority;
  Target target;
};

std::optional<Split> split_target(const RequestHead& head) {
  switch (head.form) {
    case TargetForm::kAuthority: return Split{head.target, {"", head.target}};
    case TargetForm::kOrigin:
    case TargetForm::kAsterisk: {
      const Field* host = head.find(FieldId::kHost);
      return Split{host == nullptr ? "" : host->value, {"", head.target}};
    }
    case TargetForm::kAbsolute: break;
  }
  if (!equals_ignoring_case(head.target.substr(0, kScheme.size()), kScheme)) {
    return std::nullopt;
  }
  const std::string_view rest = head.target.substr(kScheme.size());
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  if (head.method == Method::kOptions && end == rest.size()) {
    return Split{rest.substr(0, end), {"*", ""}};  // RFC 9112, 3.2.4
  }
  return Split{rest.substr(0, end), origin_form(rest.substr(end))};
}

}  // namespace

ServiceName ServiceName::from(std::string_view label) {
  ServiceName name;
  if (label.empty() || label.size() > kMaxSize || label.front() == '-' || label.back() == '-') {
    return name;
  }
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (!is_alpha(label[i]) && !is_digit(label[i]) && label[i] != '-') {
      return name;
    }
    name.text_[i] = lower(label[i]);
  }
  name.size_ = static_cast<std::uint8_t>(label.size());
  return name;
}

Route route_name(const RequestHead& head, const RouteRules& rules) {
  Route route;
  const std::optional<Split> split = split_target(head);
  if (!split) {
    route.kind = Route::Kind::kBadScheme;
    return route;
  }
  route.target = split->target;
  route.authority = split->authority;
  const std::optional<Authority> authority = split_authority(split->authority);
  if (!authority || names_nothing(*authority, rules)) {
    route_by_prefix(route, rules);
    return route;
  }
  set_service(route, authority->host, rules);
  return route;
}

bool acceptable_request_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxRequestId &&
         std::ranges::all_of(id, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace ringside::http
