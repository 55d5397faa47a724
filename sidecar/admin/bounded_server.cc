#include "sidecar/admin/bounded_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace ringside::admin {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kSlice{50};        // how late a stop may be noticed
constexpr milliseconds kLingerTime{500};  // for a client to read the answer and close
constexpr std::size_t kLingerBytes = std::size_t{1} << 20U;

// Set while the accepting thread gets rid of a connection that finds the queue full.
thread_local bool queue_is_full = false;

class BoundedPool : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> serve) override {
    if (waiting_ >= BoundedServer::kMaxWaiting) {
      queue_is_full = true;
      serve();
      queue_is_full = false;
      return;
    }
    ++waiting_;
    pool_.enqueue([this, serve = std::move(serve)] {
      --waiting_;
      serve();
    });
  }
  void shutdown() override { pool_.shutdown(); }

 private:
  httplib::ThreadPool pool_{BoundedServer::kThreads};
  std::atomic<int> waiting_{0};
};

class ClientStream : public httplib::Stream {
 public:
  ClientStream(socket_t socket, Clock::time_point deadline, const std::atomic<bool>& stopping)
      : socket_(socket), deadline_(deadline), stopping_(stopping) {}

  [[nodiscard]] bool is_readable() const override { return begin_ < end_ || wait(POLLIN); }
  [[nodiscard]] bool is_writable() const override { return wait(POLLOUT); }

  ssize_t read(char* to, std::size_t size) override {
    if (begin_ == end_ && !fill()) {
      return -1;
    }
    const std::size_t count = std::min(size, end_ - begin_);
    std::memcpy(to, buffer_.data() + begin_, count);
    begin_ += count;
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* from, std::size_t size) override {
    while (wait(POLLOUT)) {
      const ssize_t sent = ::send(socket_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent >= 0 || (errno != EAGAIN && errno != EINTR)) {
        return sent;
      }
    }
    return -1;
  }

  // Lets the client read the answer: a close with bytes unread would reset the connection.
  void linger() {
    ::shutdown(socket_, SHUT_WR);
    deadline_ = std::min(deadline_, Clock::now() + kLingerTime);
    for (std::size_t read = 0; read < kLingerBytes && wait(POLLIN);) {
      const ssize_t got = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (got <= 0) {
        return;
      }
      read += static_cast<std::size_t>(got);
    }
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override { no_address(ip, port); }
  void get_local_ip_and_port(std::string& ip, int& port) const override { no_address(ip, port); }
  [[nodiscard]] socket_t socket() const override { return socket_; }

 private:
  static void no_address(std::string& ip, int& port) {  // nothing here asks who calls
    ip.clear();
    port = 0;
  }

  // False when the time is up or the server stops.
  [[nodiscard]] bool wait(short events) const {
    while (!stopping_) {
      const auto left = std::chrono::ceil<milliseconds>(deadline_ - Clock::now());
      if (left <= milliseconds{0}) {
        return false;
      }
      pollfd entry{socket_, events, 0};
      const int ready = ::poll(&entry, 1, static_cast<int>(std::min(left, kSlice).count()));
      if (ready > 0 || (ready < 0 && errno != EINTR)) {
        return ready > 0;
      }
    }
    return false;
  }

  bool fill() {
    while (total_ < BoundedServer::kMaxRequestBytes && wait(POLLIN)) {
      const ssize_t got = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        continue;
      }
      begin_ = 0;
      end_ = got > 0 ? static_cast<std::size_t>(got) : 0;
      total_ += end_;
      return end_ > 0;
    }
    return false;
  }

  socket_t socket_;
  Clock::time_point deadline_;
  const std::atomic<bool>& stopping_;
  std::array<char, 4096> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t total_ = 0;
};

}  // namespace

BoundedServer::BoundedServer(milliseconds client_time) : client_time_(client_time) {
  new_task_queue = [] { return new BoundedPool; };
  set_payload_max_length(kMaxBodyBytes);
  // httplib would read such a body to its end before it says that it is too long.
  set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    // Neither length nor chunks means no body (RFC 9112, 6.3); httplib would wait for the end of
    // the connection. The object is httplib's own and not const.
    if (!request.has_header("Content-Length") && !request.has_header("Transfer-Encoding")) {
      const_cast<httplib::Request&>(request).set_header("Content-Length", std::string("0"));
    }
    if (request.get_header_value<std::uint64_t>("Content-Length") <= kMaxBodyBytes) {
      return HandlerResponse::Unhandled;
    }
    constexpr int kPayloadTooLarge = 413;
    response.status = kPayloadTooLarge;
    return HandlerResponse::Handled;
  });
  // httplib's own choice is SO_REUSEPORT, with which a second sidecar would share the port unseen.
  set_socket_options([](socket_t socket) {
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
}

void BoundedServer::stop_now() {
  stopping_ = true;
  stop();
}

bool BoundedServer::process_and_close_socket(socket_t socket) {
  bool answered = false;
  if (!queue_is_full && !stopping_) {
    ClientStream stream(socket, Clock::now() + client_time_, stopping_);
    bool closed = false;
    answered = process_request(stream, true, closed, nullptr);
    stream.linger();
  }
  ::close(socket);
  return answered;
}

}  // namespace ringside::admin
