// Slow and silent readers told apart, over a real connection.
#include "sidecar/proxy/send_progress.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <string>

#include "tests/unit/net/net_fixture.h"

namespace ringside::proxy {

namespace {

// Writes to somebody who reads only when told to; what it writes is counted exactly.
struct Held {
  Held() {
    pair.server->read_stop();
    while (pair.client->write(block) == net::WriteResult::kDone) {
    }
    progress.note(*pair.client);
  }
  void take(std::size_t bytes) {
    const std::size_t until = pair.server_saw.count + bytes;
    pair.server->read_start();
    net::test::run_until(loop, [&] { return pair.server_saw.count >= until; });
    pair.server->read_stop();
  }

  net::Loop loop;
  net::test::Pair pair{loop};
  const std::string block = std::string(64 * 1024, 'x');
  SendProgress progress;
};

}  // namespace

TEST_CASE("APeerThatTakesNothingDoesNotMove") {
  Held held;
  CHECK_FALSE(held.progress.moved(*held.pair.client));
}

TEST_CASE("APeerThatTakesSomethingMoves") {
  Held held;
  held.take(8 * held.block.size());
  CHECK(held.progress.moved(*held.pair.client));
}

TEST_CASE("WhatIsWrittenMeanwhileDoesNotHideThatAPeerMoves") {
  Held held;
  const std::size_t before = held.pair.client->unacknowledged();
  held.take(8 * held.block.size());
  while (held.pair.client->unacknowledged() <= before) {
    static_cast<void>(held.pair.client->write(held.block));
  }
  CHECK(held.progress.moved(*held.pair.client));
  CHECK_FALSE(held.progress.moved(*held.pair.client));
}

TEST_CASE("APeerForWhomNothingWasHeldBackIsNotLookedAt") {
  Held held;
  held.progress.forget();
  held.take(8 * held.block.size());
  CHECK_FALSE(held.progress.moved(*held.pair.client));
}

}  // namespace ringside::proxy
