#include "tests/drills/load/loader.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace ringside::drill {

namespace {

// Mostly small, one in 32 of some ten thousand bytes; by the id alone, so that it need not be kept.
std::string body_of(std::uint64_t id) {
  const std::uint64_t mixed = (id * 0x9E3779B97F4A7C15ULL) >> 33;
  const std::size_t size = mixed % 32 == 0 ? 16384 + mixed % 32768 : 16 + mixed % 1000;
  std::string body = fmt::format("{} ", id);
  body.resize(size, static_cast<char>('a' + id % 26));
  return body;
}

std::string request_of(std::uint64_t id, const std::string& host) {
  if (id % 2 == 0) {
    return fmt::format("GET /item/{0} HTTP/1.1\r\nhost: {1}\r\nx-drill-id: {0}\r\n\r\n", id, host);
  }
  const std::string body = body_of(id);
  return fmt::format(
      "POST /echo HTTP/1.1\r\nhost: {}\r\nx-drill-id: {}\r\ncontent-length: {}\r\n\r\n{}", host, id,
      body.size(), body);
}

// Of errno.
std::string_view word_of_error() {
  return errno == ECONNREFUSED ? "refused" : "reset";
}

}  // namespace

Loader::Loader(Poller& poller, const LoadOptions& options)
    : poller_(poller), options_(options), start_ms_(now_ms()) {}

void Loader::turn() {
  while (!stopped_) {
    const double due = start_ms_ + static_cast<double>(begun_) * 1e3 / options_.rate;
    if (due > now_ms()) {
      break;
    }
    begin({.id = options_.first_id + begun_++, .due_ms = due});
  }
  look_for_timeouts();
  poller_.turn(1);
}

void Loader::begin(Call call) {
  ++under_way_;
  std::uint64_t number = 0;
  Connection* const connection = take_connection(number);
  if (connection == nullptr) {
    Connection none;
    none.call = call;
    end(none, {.error = "no_connection"});
    return;
  }
  call.sent_ms = now_ms();
  connection->call = call;
  connection->out = request_of(call.id, options_.host);
  connection->out_sent = 0;
  waiting_.push_back({call.sent_ms + options_.timeout_ms, number, call.id});
  if (!flush(*connection)) {
    lose(number, *connection, word_of_error());
  }
}

Loader::Connection* Loader::take_connection(std::uint64_t& number) {
  if (!idle_.empty() && connections_.size() >= static_cast<std::size_t>(options_.connections)) {
    number = idle_.front();
    idle_.pop_front();
    return &connections_.at(number);
  }
  const int fd = connections_.size() < kConnectionsMost ? begin_connect(options_.port) : -1;
  if (fd < 0) {
    return nullptr;
  }
  number = ++opened_;
  results_.connection_opened();
  Connection& connection = connections_[number];
  connection.fd = fd;
  poller_.add(fd, EPOLLIN | EPOLLOUT,
              [this, opened = number](std::uint32_t events) { event(opened, events); });
  return &connection;
}

void Loader::event(std::uint64_t number, std::uint32_t events) {
  Connection& connection = connections_.at(number);
  if ((events & EPOLLOUT) != 0 && (events & (EPOLLERR | EPOLLHUP)) == 0) {
    if (!flush(connection)) {
      lose(number, connection, word_of_error());
      return;
    }
    if (connection.out_sent == connection.out.size()) {
      poller_.change(connection.fd, EPOLLIN);
    }
  }
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) {
    read(number, connection);
  }
}

bool Loader::flush(Connection& connection) {
  while (connection.out_sent < connection.out.size()) {
    const ssize_t sent = send(connection.fd, connection.out.data() + connection.out_sent,
                              connection.out.size() - connection.out_sent, MSG_NOSIGNAL);
    if (sent < 0) {
      // A connection that is still being made is as one that has no room.
      const bool later = errno == EAGAIN || errno == ENOTCONN || errno == EINTR;
      if (later) {
        poller_.change(connection.fd, EPOLLIN | EPOLLOUT);
      }
      return later;
    }
    connection.out_sent += static_cast<std::size_t>(sent);
  }
  return true;
}

void Loader::read(std::uint64_t number, Connection& connection) {
  static std::array<char, 65536> buffer;
  const ssize_t got = recv(connection.fd, buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (got <= 0) {
    lose(number, connection, got < 0 ? word_of_error() : "closed");
    return;
  }
  std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
  if (!connection.call) {  // nobody asked: a goodbye, or worse; the next request goes elsewhere
    lose(number, connection, "");
    return;
  }
  const Message::State state = connection.in.feed(bytes);
  if (state == Message::State::kBad) {
    lose(number, connection, "bad_answer");
  } else if (state == Message::State::kWhole) {
    answered(number, connection, !bytes.empty());
  }
}

void Loader::answered(std::uint64_t number, Connection& connection, bool more) {
  const Message& in = connection.in;
  const std::string_view line = in.first_line();
  Outcome outcome;
  outcome.status =
      static_cast<int>(to_number(line.substr(std::min<std::size_t>(9, line.size()), 3), 0));
  outcome.cause = in.header("x-ringside-error");
  outcome.instance = in.header("x-instance");
  outcome.body = in.body();
  const Call& call = *connection.call;
  const bool whole = call.post() ? in.body() == body_of(call.id)
                                 : in.body().starts_with(fmt::format("{} ", call.id));
  if (outcome.status == 200 && !whole) {
    outcome.error = "wrong_body";
  } else if (more) {
    outcome.error = "too_much";
  }
  // Those that a slow moment made necessary go again: what the other side holds is to be flat.
  const bool too_many = connections_.size() > static_cast<std::size_t>(options_.connections);
  const bool over =
      more || too_many || in.says_close() || connection.out_sent < connection.out.size();
  end(connection, outcome);
  connection.call.reset();
  connection.in.clear();
  ++connection.answered;
  if (over) {
    lose(number, connection, "");
  } else {
    idle_.push_back(number);
  }
}

void Loader::end(const Connection& connection, Outcome outcome) {
  const Call& call = *connection.call;
  outcome.id = call.id;
  outcome.post = call.post();
  outcome.due_ms = call.due_ms;
  outcome.sent_ms = call.sent_ms;
  outcome.end_ms = now_ms();
  outcome.answered = connection.answered;
  results_.add(outcome);
  --under_way_;
}

void Loader::lose(std::uint64_t number, Connection& connection, std::string_view why) {
  if (connection.call) {
    end(connection, {.error = why});
  } else if (const auto found = std::find(idle_.begin(), idle_.end(), number);
             found != idle_.end()) {
    idle_.erase(found);
  }
  poller_.close(connection.fd);
  connections_.erase(number);
}

void Loader::look_for_timeouts() {
  for (const double now = now_ms(); !waiting_.empty() && waiting_.front().until_ms <= now;) {
    const Waiting late = waiting_.front();
    waiting_.pop_front();
    const auto found = connections_.find(late.connection);
    if (found != connections_.end() && found->second.call && found->second.call->id == late.call) {
      lose(late.connection, found->second, "timeout");
    }
  }
}

}  // namespace ringside::drill
