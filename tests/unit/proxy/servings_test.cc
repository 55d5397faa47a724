// What an idle caller holds, and when it gives it back.
#include "sidecar/proxy/servings.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <string_view>

#include "callers.h"
#include "sidecar/proxy/context.h"
#include "sidecar/proxy/downstream.h"

namespace ringside::proxy {

namespace {

using test::Bench;

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
