// Callers at socket pairs, before a worker's part that knows no service: each request gets an
// answer of the proxy's own. For tests of Downstream alone; the loop turns when told.
#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "balancer/routing_table.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/socket.h"
#include "sidecar/proxy/context.h"
#include "sidecar/proxy/downstream.h"

namespace ringside::proxy::test {

struct Bench final : DownstreamOwner {
  struct Caller {
    std::unique_ptr<Downstream> downstream;
    net::Socket far_end;
    bool closed = false;
  };

  Bench() {
    config::Settings settings;
    Rng rng(1);
    context.view.update(balancer::build_table(nullptr, {}, settings, 1, rng));
  }

  // `room`: bytes that the kernel holds for the caller to read, roughly; 0: its default.
  std::size_t connect(int room = 0) {
    int ends[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    if (room > 0) {
      REQUIRE(::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room) == 0);
    }
    Caller caller;
    caller.far_end = net::Socket(ends[1]);
    caller.downstream = std::make_unique<Downstream>(
        context, *this, std::make_shared<const Entrance>(), "127.0.0.1");
    caller.downstream->start(net::TcpStream::adopt(loop, net::Socket(ends[0]), *caller.downstream));
    callers.push_back(std::move(caller));
    return callers.size() - 1;
  }

  void send(std::size_t at, std::string_view bytes) {
    const int fd = callers[at].far_end.fd();
    REQUIRE(::send(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    turn();
  }
  // At most `most` bytes of what is there for caller `at`.
  std::string read(std::size_t at, std::size_t most = 4096) {
    std::string answer(most, '\0');
    const int fd = callers[at].far_end.fd();
    const ssize_t count = ::recv(fd, answer.data(), answer.size(), MSG_DONTWAIT);
    answer.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return answer;
  }
  // What caller `at` is answered to `bytes`.
  std::string say(std::size_t at, std::string_view bytes) {
    send(at, bytes);
    return read(at);
  }
  void turn() {
    loop.turn(false);
    context.servings.collect();
  }

  void on_downstream_closed(Downstream& downstream) override {
    for (Caller& caller : callers) {
      caller.closed = caller.closed || caller.downstream.get() == &downstream;
    }
  }

  ~Bench() {
    for (Caller& caller : callers) {
      caller.downstream->close();
    }
    loop.turn(false);
  }

  metrics::WorkerMetrics metrics{"worker"};
  AccessQueue access;
  net::Loop loop;
  WorkerContext context{
      loop, std::make_shared<const config::Settings>(), "self", Bounds{}, 1, metrics, access};
  std::vector<Caller> callers;
};

}  // namespace ringside::proxy::test
