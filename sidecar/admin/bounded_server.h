// cpp-httplib's server with bounds that it lacks: a time for each client as a whole, a number of
// bytes for each request, a number of connections that wait.
//
// Used by admin_server.cc alone, on httplib's threads. Good path: one request, one answer, the
// connection is closed. Failure paths: the client's time is up (dropped without an answer), the
// request is longer than kMaxRequestBytes (as if it ended there: httplib answers 400), more than
// kMaxWaiting wait for a thread (closed at once), the server stops (all are dropped).
#pragma once

#include <httplib.h>

#include <atomic>
#include <chrono>

namespace ringside::admin {

class BoundedServer : public httplib::Server {
 public:
  static constexpr std::size_t kThreads = 8;
  static constexpr int kMaxWaiting = 64;
  static constexpr std::size_t kMaxBodyBytes = 64UL * 1024;
  static constexpr std::size_t kMaxRequestBytes = kMaxBodyBytes + 32UL * 1024;

  explicit BoundedServer(std::chrono::milliseconds client_time);

  // Waiting clients notice within kSlice; then stop() of httplib.
  void stop_now();

 private:
  bool process_and_close_socket(socket_t socket) override;

  std::chrono::milliseconds client_time_;
  std::atomic<bool> stopping_{false};
};

}  // namespace ringside::admin
