// One check of the local app: a TCP connection, or an HTTP GET answered with 200 to 399.
//
// Owned by Checker, on the control loop's thread. Good path: connect, send, read a response's head,
// call back with a pass. Failure paths, each called back once with a reason: no connection, the
// connection ends or breaks early, no valid response, another status, the time is up. Destroying it
// gives up without a call.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "config/settings.h"
#include "sidecar/http/parser.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/tcp_connect.h"
#include "sidecar/net/timer.h"

namespace ringside::health {

class Probe : private net::StreamHandler {
 public:
  // Empty: it passed. The callback may destroy the Probe.
  using Callback = std::function<void(const std::string& failure)>;

  Probe(net::Loop& loop, const config::Address& address, const config::HealthCheck& check,
        Callback callback);

 private:
  void on_read(std::span<const char> bytes) override;
  void on_eof() override;
  void on_broken(const Error& why) override;
  void connected(Result<std::unique_ptr<net::TcpStream>> stream);
  void take(const http::Step& step);
  void done(const std::string& failure);

  config::Address address_;
  config::HealthCheck check_;
  Callback callback_;
  http::ResponseParser parser_;
  std::unique_ptr<net::TcpStream> stream_;
  net::Timer timer_;
  net::TcpConnect connect_;
};

}  // namespace ringside::health
