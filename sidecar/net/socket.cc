#include "sidecar/net/socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

namespace ringside::net {

namespace {

// As inet_ntop, which goes by way of sprintf: every caller's address is written once.
std::string dotted(const void* address) {
  std::array<std::uint8_t, 4> parts{};
  std::memcpy(parts.data(), address, parts.size());
  std::array<char, INET_ADDRSTRLEN> text{};
  char* end = text.data();
  for (const std::uint8_t part : parts) {
    end = std::to_chars(end, text.data() + text.size(), part).ptr;
    *end++ = '.';
  }
  return {text.data(), end - 1};
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Socket::reset() {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

SocketAddress SocketAddress::from(const sockaddr* address) {
  static_assert(sizeof(sockaddr_in6) == 28);
  SocketAddress result;
  if (address != nullptr && address->sa_family == AF_INET) {
    result.size_ = sizeof(sockaddr_in);
  } else if (address != nullptr && address->sa_family == AF_INET6) {
    result.size_ = sizeof(sockaddr_in6);
  }
  if (result.size_ != 0) {
    std::memcpy(result.storage_.data(), address, result.size_);
  }
  return result;
}

std::optional<SocketAddress> SocketAddress::numeric(std::string_view host, std::uint16_t port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  const std::string text(host);
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    return from(reinterpret_cast<const sockaddr*>(&v4));
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  const std::size_t zone = text.find('%');
  if (zone != std::string::npos) {
    v6.sin6_scope_id = ::if_nametoindex(text.c_str() + zone + 1);
    if (v6.sin6_scope_id == 0) {
      return std::nullopt;
    }
  }
  if (::inet_pton(AF_INET6, text.substr(0, zone).c_str(), &v6.sin6_addr) == 1) {
    return from(reinterpret_cast<const sockaddr*>(&v6));
  }
  return std::nullopt;
}

const sockaddr* SocketAddress::raw() const {
  return reinterpret_cast<const sockaddr*>(storage_.data());
}

// Port and family lie at the same place in sockaddr_in and sockaddr_in6.
std::uint16_t SocketAddress::port() const {
  return ntohs(reinterpret_cast<const sockaddr_in*>(storage_.data())->sin_port);
}

void SocketAddress::set_port(std::uint16_t port) {
  reinterpret_cast<sockaddr_in*>(storage_.data())->sin_port = htons(port);
}

std::string SocketAddress::ip() const {
  if (empty()) {
    return {};
  }
  if (raw()->sa_family == AF_INET) {
    return dotted(&reinterpret_cast<const sockaddr_in*>(storage_.data())->sin_addr);
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(storage_.data());
  if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
    return dotted(v6->sin6_addr.s6_addr + 12);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
  return text.data();
}

std::string SocketAddress::to_string() const {
  const std::string host = ip();
  if (host.find(':') != std::string::npos) {
    return fmt::format("[{}]:{}", host, port());
  }
  return empty() ? "" : fmt::format("{}:{}", host, port());
}

}  // namespace ringside::net
