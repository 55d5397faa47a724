// Good path: accept, wait for a thread, read, answer, close. Failure paths, all of which close the
// connection: the client's time is up, it sends more than it may, it went away, too many wait, the
// server stops.
#include "sidecar/admin/bounded_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ringside::admin {

namespace {

// How soon a stop, or somebody who waits, is noticed.
constexpr milliseconds kSlice{50};
// What is read after the answer, at most: what a client that was told of the bounds late has sent.
constexpr std::size_t kLingerBytes = 2 * BoundedServer::kMaxLargeRequestBytes;
constexpr milliseconds kLingerTime{1000};

// Set while a connection is to be closed unserved: httplib hands over closures, not sockets.
thread_local bool close_unserved = false;

void refuse(const std::function<void()>& serve) {
  close_unserved = true;
  serve();
  close_unserved = false;
}

// httplib would read a body that is too long to its end before it says so; and without a length it
// would wait for the end of the connection, where there is no body (RFC 9112, 6.3). It would unpack
// a body that is coded, take one apart that says it is a form, and bound a form by 8 KiB: a body is
// bytes here. The request is httplib's own and not const.
httplib::Server::HandlerResponse judge_request(const httplib::Request& request,
                                               httplib::Response& response) {
  auto& headers = const_cast<httplib::Request&>(request).headers;
  headers.erase("Content-Type");
  constexpr int kUnsupportedMediaType = 415;
  constexpr int kPayloadTooLarge = 413;
  if (headers.contains("Content-Encoding")) {
    response.status = kUnsupportedMediaType;
    return httplib::Server::HandlerResponse::Handled;
  }
  if (!headers.contains("Content-Length") && !headers.contains("Transfer-Encoding")) {
    headers.emplace("Content-Length", "0");
  }
  const bool large = request.target.starts_with(BoundedServer::kLargeBodies);
  if (large) {
    BoundedStream::current()->allow(BoundedServer::kMaxLargeRequestBytes);
  }
  const std::size_t limit =
      large ? BoundedServer::kMaxLargeBodyBytes : BoundedServer::kMaxBodyBytes;
  if (request.get_header_value<std::uint64_t>("Content-Length") <= limit) {
    return httplib::Server::HandlerResponse::Unhandled;
  }
  response.status = kPayloadTooLarge;
  return httplib::Server::HandlerResponse::Handled;
}

thread_local BoundedStream* current_stream = nullptr;

}  // namespace

BoundedStream::BoundedStream(socket_t socket, const Pressure& pressure)
    : socket_(socket),
      pressure_(pressure),
      allowed_(BoundedServer::kMaxRequestBytes),
      began_(std::chrono::steady_clock::now()) {}

BoundedStream* BoundedStream::current() {
  return current_stream;
}

OwnTime::~OwnTime() {
  if (current_stream != nullptr) {
    current_stream->add_time(std::chrono::steady_clock::now() - began_);
  }
}

milliseconds BoundedStream::time_left() const {
  if (pressure_.closing) {
    return milliseconds{0};
  }
  const milliseconds limit = pressure_.waiting > 0 ? BoundedServer::kClientTimeWhenBusy
                                                   : milliseconds{BoundedServer::kClientTime};
  const auto spent = std::chrono::steady_clock::now() - began_;
  return limit - std::chrono::duration_cast<milliseconds>(spent);
}

bool BoundedStream::wait(short events) const {
  for (milliseconds left = time_left(); left > milliseconds{0}; left = time_left()) {
    pollfd ready{socket_, events, 0};
    const int count = ::poll(&ready, 1, static_cast<int>(std::min(left, kSlice).count()));
    if (count > 0) {
      return true;
    }
    if (count < 0 && errno != EINTR) {
      return false;
    }
  }
  return false;
}

bool BoundedStream::is_readable() const {
  return begin_ < end_ || wait(POLLIN);
}

bool BoundedStream::is_writable() const {
  return wait(POLLOUT);
}

ssize_t BoundedStream::read(char* out, std::size_t size) {
  if (begin_ == end_) {
    if (received_ >= allowed_ || !wait(POLLIN)) {
      return -1;
    }
    const ssize_t count = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count <= 0) {
      return count;
    }
    begin_ = 0;
    end_ = static_cast<std::size_t>(count);
    received_ += end_;
  }
  const std::size_t given = std::min(size, end_ - begin_);
  std::memcpy(out, buffer_.data() + begin_, given);
  begin_ += given;
  return static_cast<ssize_t>(given);
}

ssize_t BoundedStream::write(const char* data, std::size_t size) {
  return wait(POLLOUT) ? ::send(socket_, data, size, MSG_DONTWAIT | MSG_NOSIGNAL) : -1;
}

void BoundedStream::linger() {
  ::shutdown(socket_, SHUT_WR);
  const auto until = std::chrono::steady_clock::now() + kLingerTime;
  std::size_t bytes = 0;
  while (bytes < kLingerBytes && std::chrono::steady_clock::now() < until) {
    pollfd ready{socket_, POLLIN, 0};
    if (pressure_.closing || ::poll(&ready, 1, static_cast<int>(kSlice.count())) <= 0) {
      return;
    }
    const ssize_t count = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count <= 0) {
      return;
    }
    bytes += static_cast<std::size_t>(count);
  }
}

// Nobody asks for addresses: no handler and no log of ours shows them.
void BoundedStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void BoundedStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

BoundedQueue::BoundedQueue(Pressure& pressure) : pressure_(pressure) {
  for (std::size_t i = 0; i < BoundedServer::kThreads; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

void BoundedQueue::enqueue(std::function<void()> serve) {
  std::function<void()> refused;
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(serve));
    if (waiting_.size() > BoundedServer::kMaxWaiting) {
      refused = std::move(waiting_.front());
      waiting_.pop_front();
    }
    pressure_.waiting = waiting_.size();
  }
  something_.notify_one();
  if (refused) {
    refuse(refused);
  }
}

void BoundedQueue::work() {
  while (true) {
    std::function<void()> serve;
    {
      std::unique_lock lock(mutex_);
      something_.wait(lock, [this] { return over_ || !waiting_.empty(); });
      if (over_) {
        return;
      }
      serve = std::move(waiting_.back());
      waiting_.pop_back();
      pressure_.waiting = waiting_.size();
    }
    serve();
  }
}

void BoundedQueue::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  something_.notify_all();
  for (auto& thread : threads_) {
    thread.join();
  }
  for (const auto& serve : waiting_) {
    refuse(serve);
  }
  waiting_.clear();
}

BoundedServer::BoundedServer() {
  new_task_queue = [this] { return new BoundedQueue(pressure_); };
  set_keep_alive_max_count(1);
  set_payload_max_length(kMaxLargeBodyBytes);
  set_pre_routing_handler(judge_request);
  set_tcp_nodelay(true);
  // httplib sets SO_REUSEPORT: two sidecars would share a port and neither would be told.
  set_socket_options([](socket_t socket) {
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
}

void BoundedServer::serve() {
  listen_after_bind();
  ended_ = true;
}

void BoundedServer::stop_serving() {
  // httplib forgets a stop that comes before its loop has begun.
  while (!is_running() && !ended_) {
    std::this_thread::sleep_for(milliseconds{1});
  }
  pressure_.closing = true;
  stop();
}

bool BoundedServer::process_and_close_socket(socket_t socket) {
  bool served = false;
  if (!close_unserved) {
    BoundedStream stream(socket, pressure_);
    current_stream = &stream;
    bool closed = false;
    served = process_request(stream, true, closed, nullptr);
    current_stream = nullptr;
    stream.linger();
  }
  ::close(socket);
  return served;
}

}  // namespace ringside::admin
