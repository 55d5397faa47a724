// What an idle caller holds, and when it gives it back.
#include "sidecar/proxy/servings.h"

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

namespace ringside::proxy {

namespace {

// A worker without a service, and callers at socket pairs.
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

  std::size_t connect() {
    int ends[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    Caller caller;
    caller.far_end = net::Socket(ends[1]);
    caller.downstream = std::make_unique<Downstream>(
        context, *this, std::make_shared<const Entrance>(), "127.0.0.1");
    caller.downstream->start(net::TcpStream::adopt(loop, net::Socket(ends[0]), *caller.downstream));
    callers.push_back(std::move(caller));
    return callers.size() - 1;
  }

  // What caller `at` is answered to `bytes`.
  std::string say(std::size_t at, std::string_view bytes) {
    const int fd = callers[at].far_end.fd();
    REQUIRE(::send(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    loop.turn(false);
    context.servings.collect();
    std::string answer(4096, '\0');
    const ssize_t count = ::recv(fd, answer.data(), answer.size(), MSG_DONTWAIT);
    answer.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return answer;
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

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: nobody\r\n\r\n";

}  // namespace

TEST_CASE("ACallerThatWaitsForNothingHoldsNoParserAndNoExchange") {
  Bench bench;
  const std::size_t one = bench.connect();
  CHECK(bench.context.servings.empty());
  CHECK(bench.say(one, kRequest).starts_with("HTTP/1.1 503"));
  CHECK_FALSE(bench.context.servings.empty());
  // The next caller takes the same, and finds it as new.
  const std::size_t two = bench.connect();
  CHECK(bench.say(two, "GET / HTTP/1.1\r\n").empty());
  CHECK(bench.context.servings.empty());
  CHECK(bench.say(one, kRequest).starts_with("HTTP/1.1 503"));
  CHECK(bench.say(two, "Host: nobody\r\n\r\n").starts_with("HTTP/1.1 503"));
}

TEST_CASE("WhatAParserRemembersBetweenMessagesStaysTheCallers") {
  Bench bench;
  const std::size_t one = bench.connect();
  CHECK(bench.say(one, "\r\n").empty());  // one empty line before a request is let pass
  CHECK(bench.context.servings.empty());
  const std::size_t two = bench.connect();
  CHECK(bench.say(two, "\r\n").empty());
  CHECK(bench.say(one, "\r\n").starts_with("HTTP/1.1 400"));
  CHECK(bench.say(two, kRequest).starts_with("HTTP/1.1 503"));
}

TEST_CASE("WhatNobodyNeededSinceTheLastTrimIsFreed") {
  Bench bench;
  const std::size_t one = bench.connect();
  CHECK_FALSE(bench.say(one, kRequest).empty());
  bench.context.servings.trim();
  CHECK_FALSE(bench.context.servings.empty());  // it was in use since the trim before
  CHECK_FALSE(bench.say(one, kRequest).empty());
  bench.context.servings.trim();
  CHECK_FALSE(bench.context.servings.empty());
  bench.context.servings.trim();
  CHECK(bench.context.servings.empty());
  CHECK_FALSE(bench.say(one, kRequest).empty());
}

TEST_CASE("ACallerThatIsDestroyedWhileItRestsIsForgotten") {
  Bench bench;
  const std::size_t one = bench.connect();
  const int fd = bench.callers[one].far_end.fd();
  REQUIRE(::send(fd, kRequest.data(), kRequest.size(), 0) > 0);
  bench.loop.turn(false);
  bench.callers[one].downstream->close();
  bench.callers.clear();
  bench.context.servings.collect();
  CHECK(bench.context.servings.empty());
}

// 10,000 of them are to cost less than HAProxy's do (tests/bench/idle_bench.py): 1,140 bytes each,
// of which libuv's handle takes 248.
TEST_CASE("AnIdleCallerIsSmall") {
  CHECK(sizeof(Downstream) <= 320);
}

}  // namespace ringside::proxy
