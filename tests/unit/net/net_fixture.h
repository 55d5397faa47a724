// Real loopback connections for the tests of sidecar/net: everything on one loop, port 0, waiting
// for events only.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sidecar/net/loop.h"
#include "sidecar/net/tcp_connect.h"
#include "sidecar/net/tcp_listener.h"
#include "sidecar/net/tcp_stream.h"
#include "sidecar/net/timer.h"
#include "sidecar/net/turn_end_task.h"

namespace ringside::net::test {

// Turns the loop until `done`; a guard fails the test after 10 s.
inline void run_until(Loop& loop, const std::function<bool()>& done) {
  bool late = false;
  int ticks = 0;
  // Ticks, since one turn runs timers first and then waits, so that `done` by a timer needs another
  // event to be seen.
  Timer guard(loop, [&] { late = ++ticks >= 1000; });
  guard.start_repeating(milliseconds{10});
  while (!done() && !late) {
    loop.turn(true);
  }
  REQUIRE_FALSE(late);
}

// Records what a stream reports; `then` runs inside each callback.
struct Recorder final : StreamHandler {
  std::string bytes;
  std::vector<std::string> events;
  std::function<void(const std::string& event)> then;
  bool keep_bytes = true;
  std::size_t count = 0;

  [[nodiscard]] bool saw(const std::string& event) const {
    for (const auto& one : events) {
      if (one == event) {
        return true;
      }
    }
    return false;
  }
  void note(std::string event) {
    events.push_back(event);
    if (then) {
      then(event);
    }
  }
  void on_read(std::span<const char> read) override {
    count += read.size();
    if (keep_bytes) {
      bytes.append(read.data(), read.size());
    }
    note("read");
  }
  void on_eof() override { note("eof"); }
  void on_broken(const Error& why) override { note(std::string("broken ") + to_string(why.code)); }
  void on_connected() override { note("connected"); }
  void on_drained() override { note("drained"); }
};

// Two ends of one connection, both reading.
struct Pair {
  explicit Pair(Loop& loop) {
    auto opened = TcpListener::open(loop, {"127.0.0.1", 0},
                                    {[this, &loop](Socket socket, const SocketAddress& from) {
                                       peer = from;
                                       server =
                                           TcpStream::adopt(loop, std::move(socket), server_saw);
                                     },
                                     {}});
    REQUIRE(opened.has_value());
    listener = std::move(*opened);
    client = std::move(TcpStream::connect(loop, listener->address(), client_saw).value());
    run_until(loop, [this] { return server != nullptr && client_saw.saw("connected"); });
    client->read_start();
    server->read_start();
  }

  std::unique_ptr<TcpListener> listener;
  Recorder client_saw;
  Recorder server_saw;
  std::unique_ptr<TcpStream> client;
  std::unique_ptr<TcpStream> server;
  SocketAddress peer;
};

}  // namespace ringside::net::test
