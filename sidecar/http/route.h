// Which service a request names, and the target that the service is to see.
//
// Called by sidecar/proxy (outbound) for each request. Pure, no allocation. The three ways of
// naming that a request itself can carry: absolute form; Host; /svc/NAME/ while the host names
// nothing (an address, localhost, the proxy itself or no host at all). Absolute form outranks Host
// (RFC 9112, 3.2.2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sidecar/http/head.h"
#include "sidecar/http/writer.h"

namespace ringside::http {

// One DNS label (RFC 1123) in lower case, held by value.
class ServiceName {
 public:
  static constexpr std::size_t kMaxSize = 63;
  ServiceName() = default;
  // Empty when `label` is no DNS label: letters, digits and inner hyphens, at most 63.
  static ServiceName from(std::string_view label);
  [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  std::array<char, kMaxSize> text_{};
  std::uint8_t size_ = 0;
};

struct RouteRules {
  std::span<const std::string> domains{};  // proxy.domains, any case, without leading dot
  std::string_view own_host{};  // the host under which the proxy itself is reached, if named
};

struct Route {
  enum class Kind : std::uint8_t {
    kService,      // `service` and `target` are set
    kNotAService,  // `host` was named, but it is no DNS label: no_endpoints, or external
    kUnnamed,      // the request names nothing: an address or no host, and no /svc/ prefix
    kBadScheme,    // absolute form of another scheme than http
  };
  Kind kind = Kind::kUnnamed;
  ServiceName service;
  std::string_view host;       // as written, without port; "" if none, or the name after /svc/
  std::string_view authority;  // of the target, else Host: as written, with its port; "" if none
  Target target;               // in origin form, `*` (OPTIONS), or the authority (CONNECT)
};

Route route_name(const RequestHead& head, const RouteRules& rules);

// An x-request-id that a caller sent is kept when it has 1 to 128 visible ASCII characters.
bool acceptable_request_id(std::string_view id);

}  // namespace ringside::http
