// An owned descriptor and a socket address, as values.
//
// Used to hand an accepted connection from the loop that accepts to the loop that serves it. No
// thread rule: a Socket may be moved between threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

struct sockaddr;

namespace ringside::net {

// Closes its descriptor when it goes.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept;
  ~Socket() { reset(); }

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  // Gives the descriptor up without closing it.
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

// An IPv4 or IPv6 address with a port.
class SocketAddress {
 public:
  SocketAddress() = default;
  // From a sockaddr of AF_INET or AF_INET6; anything else gives an empty address.
  static SocketAddress from(const sockaddr* address);
  // A numeric address ("10.0.0.5", "::1", "fe80::1%eth0"); nothing for a name. No lookup.
  static std::optional<SocketAddress> numeric(std::string_view host, std::uint16_t port);

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] const sockaddr* raw() const;
  [[nodiscard]] std::size_t raw_size() const { return size_; }
  [[nodiscard]] std::uint16_t port() const;
  void set_port(std::uint16_t port);
  // Without port and brackets: "10.0.0.5", "::1". IPv4 mapped into IPv6 is written as IPv4.
  [[nodiscard]] std::string ip() const;
  // "10.0.0.5:80", "[::1]:80".
  [[nodiscard]] std::string to_string() const;

 private:
  alignas(8) std::array<std::byte, 28> storage_{};  // a sockaddr_in6 fits exactly
  std::size_t size_ = 0;
};

}  // namespace ringside::net
