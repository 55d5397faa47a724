// cpp-httplib's server with bounds on what a client may take: time, bytes and places in the queue.
//
// Used by admin_server.cc alone, so that httplib.h stays in one file's build. As it comes, one
// client that sends a byte now and then holds a thread for ever: a few of them, and /healthz
// answers nobody and a stop never ends. Here a client has kClientTime for its whole exchange, only
// kClientTimeWhenBusy while others wait, and kMaxRequestBytes for the request
// (kMaxLargeRequestBytes under kLargeBodies). Time that the server takes for itself (OwnTime) is
// not the client's. Who waits is served newest first: under a flood the old ones have given up
// anyway. Over kMaxWaiting the oldest is closed. Threads: process_and_close_socket runs on the
// queue's threads, enqueue on the accepting one; they share Pressure.
#pragma once

#include <httplib.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "config/base/time.h"

namespace ringside::admin {

struct Pressure {
  std::atomic<std::size_t> waiting{0};
  std::atomic<bool> closing{false};
};

// One client's connection for the time of one exchange. Does not own the socket.
class BoundedStream final : public httplib::Stream {
 public:
  BoundedStream(socket_t socket, const Pressure& pressure);

  [[nodiscard]] bool is_readable() const override;
  [[nodiscard]] bool is_writable() const override;
  ssize_t read(char* out, std::size_t size) override;
  ssize_t write(const char* data, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  [[nodiscard]] socket_t socket() const override { return socket_; }
  // The request may be as long as that, from here on.
  void allow(std::size_t bytes) { allowed_ = bytes; }
  void add_time(Duration more) { began_ += more; }
  // The one that this thread serves; null: none.
  static BoundedStream* current();
  // After the answer: lets the client read it. A close with bytes unread would reset the
  // connection.
  void linger();

 private:
  [[nodiscard]] milliseconds time_left() const;
  // Until the socket is ready for `events`; false when the client's time is up.
  [[nodiscard]] bool wait(short events) const;

  socket_t socket_;
  const Pressure& pressure_;
  std::size_t allowed_;
  std::chrono::steady_clock::time_point began_;
  std::array<char, 4096> buffer_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t received_ = 0;
};

// While it lives, the time of the client that this thread serves stands still.
class OwnTime {
 public:
  OwnTime() : began_(std::chrono::steady_clock::now()) {}
  ~OwnTime();
  OwnTime(const OwnTime&) = delete;
  OwnTime& operator=(const OwnTime&) = delete;

 private:
  std::chrono::steady_clock::time_point began_;
};

class BoundedQueue final : public httplib::TaskQueue {
 public:
  explicit BoundedQueue(Pressure& pressure);
  void enqueue(std::function<void()> serve) override;
  void shutdown() override;

 private:
  void work();

  Pressure& pressure_;
  std::mutex mutex_;
  std::condition_variable something_;
  std::deque<std::function<void()>> waiting_;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

class BoundedServer final : public httplib::Server {
 public:
  static constexpr seconds kClientTime{5};
  static constexpr milliseconds kClientTimeWhenBusy{200};
  static constexpr std::size_t kMaxBodyBytes = 64 * 1024;
  static constexpr std::size_t kMaxRequestBytes = kMaxBodyBytes + 64 * 1024;
  static constexpr std::size_t kMaxLargeBodyBytes = 1024 * 1024;  // a znode's data
  static constexpr std::size_t kMaxLargeRequestBytes = kMaxLargeBodyBytes + 128 * 1024;
  static constexpr std::string_view kLargeBodies = "/v1/znode/";  // targets that begin so
  static constexpr std::size_t kMaxWaiting = 64;
  // Of which kWaitingForLoop at most wait for the control loop: the rest always answer.
  static constexpr std::size_t kThreads = 16;
  static constexpr std::size_t kWaitingForLoop = 12;

  BoundedServer();
  // Serves until stop(); on a thread of its own.
  void serve();
  // From another thread; serve() returns soon, whatever clients do.
  void stop_serving();

 private:
  bool process_and_close_socket(socket_t socket) override;

  Pressure pressure_;
  std::atomic<bool> ended_{false};
};

}  // namespace ringside::admin
