#include "tests/drills/load/poller.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace ringside::drill {

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void no_delay(int fd) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

}  // namespace

double now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

void give_up(std::string_view what) {
  fmt::print(stderr, "{}: {}\n", what, std::strerror(errno));
  std::exit(1);
}

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) {
    give_up("epoll_create1");
  }
}

Poller::~Poller() {
  for (const auto& [fd, number] : living_) {
    ::close(fd);
  }
  ::close(epoll_);
}

void Poller::add(int fd, std::uint32_t events, Callback callback) {
  living_[fd] = ++added_;
  callbacks_[added_] = std::move(callback);
  epoll_event event{.events = events, .data = {.u64 = added_}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
    give_up("epoll_ctl add");
  }
}

void Poller::change(int fd, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.u64 = living_.at(fd)}};
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) != 0) {
    give_up("epoll_ctl change");
  }
}

void Poller::close(int fd) {
  const auto found = living_.find(fd);
  dead_.push_back(found->second);
  living_.erase(found);
  ::close(fd);
}

void Poller::turn(int timeout_ms) {
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_, events.data(), events.size(), timeout_ms);
  for (int at = 0; at < count; ++at) {
    const std::uint64_t number = events[static_cast<std::size_t>(at)].data.u64;
    bool dead = false;
    for (const std::uint64_t gone : dead_) {
      dead = dead || gone == number;
    }
    if (!dead) {
      callbacks_.at(number)(events[static_cast<std::size_t>(at)].events);
    }
  }
  for (const std::uint64_t gone : dead_) {
    callbacks_.erase(gone);
  }
  dead_.clear();
}

int listen_on(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return -1;
  }
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  const sockaddr_in address = loopback(port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, 4096) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

int begin_connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return -1;
  }
  no_delay(fd);
  const sockaddr_in address = loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
    ::close(fd);
    return -1;
  }
  return fd;
}

int accept_from(int listener) {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    no_delay(fd);
  }
  return fd;
}

}  // namespace ringside::drill
