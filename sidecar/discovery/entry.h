// The registry entry of one instance, /ringside/services/SERVICE/INSTANCE, as bytes and as a
// balancer Endpoint.
//
// Pure. What other sidecars wrote is untrusted: decoding bounds every length and names the field
// that is wrong.
#pragma once

#include <string>
#include <string_view>

#include "balancer/endpoint.h"
#include "config/base/bytes.h"
#include "config/base/error.h"

namespace ringside::discovery {

inline constexpr std::string_view kServicesRoot = "/ringside/services";
inline constexpr std::size_t kMaxEntryBytes = 16 * 1024;

// JSON {service, instance, host, port, inbound_port, weight, zone, state, metadata} (product.md,
// "Registration").
Bytes encode_entry(const balancer::Endpoint& endpoint);

// `service` and `instance` are the names in the path and must be those in the data.
Result<balancer::Endpoint> decode_entry(ByteView data, std::string_view service,
                                        std::string_view instance);

std::string service_path(std::string_view service);
std::string entry_path(std::string_view service, std::string_view instance);

// HOST-PORT-xxxxxxxx; a colon of an IPv6 address becomes a dash, since the name is a path component
// and a header value.
std::string make_instance(std::string_view host, std::uint16_t port, std::uint32_t random);

}  // namespace ringside::discovery
