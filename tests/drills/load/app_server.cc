#include "tests/drills/load/app_server.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

namespace ringside::drill {

namespace {

// For one that connected just before the stop and sends nothing.
constexpr double kStopIdleMs = 2000;

int peer_port(int fd) {
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  return getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 ? ntohs(peer.sin_port) : 0;
}

}  // namespace

AppServer::AppServer(Poller& poller, AppOptions options)
    : poller_(poller),
      options_(std::move(options)),
      record_(options_.record, options_.ids),
      listener_(listen_on(options_.port)) {
  if (listener_ < 0) {
    give_up(fmt::format("port {}", options_.port));
  }
  poller_.add(listener_, EPOLLIN, [this](std::uint32_t) { accept_all(); });
}

void AppServer::turn() {
  // An answer that waits is due within milliseconds; idle connections may be closed a little late.
  poller_.turn(!delayed_.empty() ? 1 : options_.idle_ms > 0 || stopping_ ? 5 : 100);
  const double now = now_ms();
  while (!delayed_.empty() && delayed_.front().due_ms <= now) {
    const std::uint64_t number = delayed_.front().connection;
    delayed_.pop_front();
    if (const auto found = connections_.find(number); found != connections_.end()) {
      respond(number, found->second);
    }
  }
  const double limit_ms = stopping_ ? kStopIdleMs : options_.idle_ms;
  if (limit_ms <= 0) {
    return;
  }
  std::vector<std::uint64_t> over;
  for (const auto& [number, connection] : connections_) {
    if (!connection.busy && now - connection.idle_since_ms >= limit_ms) {
      over.push_back(number);
    }
  }
  for (const std::uint64_t number : over) {
    close(number, connections_.at(number), "idle");
  }
}

void AppServer::accept_all() {
  for (int fd = 0; (fd = accept_from(listener_)) >= 0;) {
    const std::uint64_t number = ++accepted_;
    Connection& connection = connections_[number];
    connection.fd = fd;
    connection.idle_since_ms = now_ms();
    poller_.add(fd, EPOLLIN, [this, number](std::uint32_t events) { event(number, events); });
  }
}

void AppServer::stop() {
  if (stopping_) {
    return;
  }
  accept_all();
  stopping_ = true;
  poller_.close(listener_);
  std::vector<std::uint64_t> over;
  for (const auto& [number, connection] : connections_) {
    // One that has just been accepted has a request on its way: it is served, as by a good server.
    if (options_.cut || (!connection.busy && connection.answered > 0)) {
      over.push_back(number);
    }
  }
  for (const std::uint64_t number : over) {
    close(number, connections_.at(number), options_.cut ? "cut" : "stop");
  }
}

void AppServer::event(std::uint64_t number, std::uint32_t events) {
  Connection& connection = connections_.at(number);
  if ((events & EPOLLOUT) != 0) {
    flush(number, connection);
    if (!connections_.contains(number)) {
      return;
    }
  }
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) {
    read(number, connection);
  }
}

void AppServer::read(std::uint64_t number, Connection& connection) {
  static std::array<char, 65536> buffer;
  const ssize_t got = recv(connection.fd, buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (got <= 0) {
    close(number, connection, "");
    return;
  }
  connection.left.append(buffer.data(), static_cast<std::size_t>(got));
  if (!connection.busy || !connection.waiting) {
    take(number, connection);
  }
}

void AppServer::take(std::uint64_t number, Connection& connection) {
  if (connection.left.empty() || !connection.out.empty()) {
    return;
  }
  connection.busy = true;
  std::string_view bytes = connection.left;
  const Message::State state = connection.in.feed(bytes);
  connection.left.erase(0, connection.left.size() - bytes.size());
  if (state == Message::State::kBad) {
    close(number, connection, "bad");
    return;
  }
  if (state != Message::State::kWhole) {
    return;
  }
  connection.id = to_number(connection.in.header("x-drill-id"), 0);
  const bool health = connection.in.first_line().starts_with("GET /healthz ");
  if (!health) {
    record_.seen(connection.id);
  }
  if (health || options_.delay_ms <= 0) {
    respond(number, connection);
    return;
  }
  connection.waiting = true;
  delayed_.push_back({now_ms() + options_.delay_ms, number});
}

void AppServer::respond(std::uint64_t number, Connection& connection) {
  connection.waiting = false;
  const bool post = connection.in.first_line().starts_with("POST ");
  const std::string item = post ? "" : fmt::format("{} {}\n", connection.id, options_.name);
  const std::string_view body = post ? std::string_view(connection.in.body()) : item;
  connection.last = stopping_ || connection.in.says_close() ||
                    (options_.close_after > 0 &&
                     connection.answered + 1 >= static_cast<std::uint64_t>(options_.close_after));
  connection.out = fmt::format(
      "HTTP/1.1 200 OK\r\nx-instance: {}\r\n{}{}content-length: {}\r\n\r\n{}", options_.name,
      options_.keep_alive_s > 0 ? fmt::format("keep-alive: timeout={}\r\n", options_.keep_alive_s)
                                : "",
      connection.last ? "connection: close\r\n" : "", body.size(), body);
  connection.out_sent = 0;
  flush(number, connection);
}

void AppServer::flush(std::uint64_t number, Connection& connection) {
  while (connection.out_sent < connection.out.size()) {
    const ssize_t sent = send(connection.fd, connection.out.data() + connection.out_sent,
                              connection.out.size() - connection.out_sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) {
      poller_.change(connection.fd, EPOLLIN | EPOLLOUT);
      return;
    }
    if (sent < 0) {
      close(number, connection, "");
      return;
    }
    connection.out_sent += static_cast<std::size_t>(sent);
  }
  if (!connection.out.empty()) {
    answered(number, connection);
  }
}

void AppServer::answered(std::uint64_t number, Connection& connection) {
  if (!connection.in.first_line().starts_with("GET /healthz ")) {
    record_.answered(connection.id);
  }
  ++connection.answered;
  connection.out.clear();
  connection.in.clear();
  connection.busy = false;
  connection.idle_since_ms = now_ms();
  poller_.change(connection.fd, EPOLLIN);
  if (connection.last) {
    close(number, connection, stopping_ ? "stop" : "limit");
  } else {
    take(number, connection);
  }
}

void AppServer::close(std::uint64_t number, Connection& connection, std::string_view why) {
  if (!why.empty()) {
    std::array<char, 65536> unread;
    const ssize_t got = recv(connection.fd, unread.data(), unread.size(), MSG_DONTWAIT | MSG_PEEK);
    fmt::print("closed {} port={} answered={} unread={} id={} at={:.3f}\n", why,
               peer_port(connection.fd), connection.answered, got > 0 ? got : 0,
               connection.busy ? connection.id : 0, now_ms() / 1e3);
    std::fflush(stdout);
  }
  poller_.close(connection.fd);
  connections_.erase(number);
}

}  // namespace ringside::drill
