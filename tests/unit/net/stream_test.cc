#include "sidecar/net/tcp_stream.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "net_fixture.h"

namespace ringside::net::test {

TEST_CASE("PiecesArriveInOrderAsOneStream") {
  Loop loop;
  Pair pair(loop);
  const std::array<std::string_view, 4> pieces{"one ", "", "two ", "three"};
  CHECK(pair.client->write(pieces) == WriteResult::kDone);
  run_until(loop, [&] { return pair.server_saw.bytes.size() == 13; });
  CHECK(pair.server_saw.bytes == "one two three");
  CHECK(pair.peer.ip() == "127.0.0.1");
}

TEST_CASE("WhatDoesNotFitIsKeptAndFlushedInOrder") {
  Loop loop;
  Pair pair(loop);
  pair.server->read_stop();
  std::string sent;
  int round = 0;
  WriteResult last = WriteResult::kDone;
  while (last == WriteResult::kDone) {
    std::string piece(100'000, static_cast<char>('a' + round++ % 26));
    last = pair.client->write(piece);
    sent += piece;
  }
  CHECK(last == WriteResult::kPending);
  CHECK(pair.client->pending_bytes() > 0);
  CHECK(pair.client->write("the end") == WriteResult::kPending);
  sent += "the end";
  pair.server->read_start();
  run_until(loop, [&] { return pair.server_saw.bytes.size() == sent.size(); });
  CHECK(pair.server_saw.bytes == sent);
  CHECK(pair.client->pending_bytes() == 0);
  CHECK(pair.client_saw.saw("drained"));
}

TEST_CASE("WhatThePeerHasNotTakenGoesDownAsItReads") {
  Loop loop;
  Pair pair(loop);
  pair.server_saw.keep_bytes = false;
  CHECK(pair.client->unacknowledged() == 0);
  pair.server->read_stop();
  const std::string piece(100'000, 'x');
  while (pair.client->pending_bytes() == 0) {
    REQUIRE(pair.client->write(piece) != WriteResult::kBroken);
  }
  for (int i = 0; i < 20; ++i) {
    loop.turn(false);
  }
  const std::size_t stuck = pair.client->unacknowledged();
  CHECK(stuck > pair.client->pending_bytes());  // the kernel holds some too
  CHECK(pair.client->unacknowledged() == stuck);
  pair.server->read_start();
  run_until(loop, [&] { return pair.client->unacknowledged() < stuck; });
  run_until(loop, [&] { return pair.client->unacknowledged() == 0; });
  CHECK(pair.client->pending_bytes() == 0);
  pair.client->reset();
  CHECK(pair.client->unacknowledged() == 0);  // not known any more
}

TEST_CASE("APausedReaderHoldsTheWriterBack") {
  Loop loop;
  Pair pair(loop);
  pair.server->read_stop();
  std::size_t sent = 0;
  const std::string piece(64 * 1024, 'x');
  // The kernel's buffers take a few MB; then nothing more leaves however often the loop turns.
  while (pair.client->pending_bytes() == 0) {
    REQUIRE(pair.client->write(piece) != WriteResult::kBroken);
    sent += piece.size();
  }
  const std::size_t stuck = pair.client->pending_bytes();
  for (int i = 0; i < 20; ++i) {
    loop.turn(false);
  }
  CHECK(pair.client->pending_bytes() == stuck);
  CHECK(pair.server_saw.count == 0);
  pair.server_saw.keep_bytes = false;
  pair.server->read_start();
  run_until(loop, [&] { return pair.server_saw.count == sent; });
}

TEST_CASE("HalfCloseFollowsWhatIsPendingAndTheOtherWayStaysOpen") {
  Loop loop;
  Pair pair(loop);
  pair.server->read_stop();
  const std::string piece(1'000'000, 'x');
  std::size_t sent = 0;
  while (pair.client->pending_bytes() == 0) {
    REQUIRE(pair.client->write(piece) != WriteResult::kBroken);
    sent += piece.size();
  }
  pair.client->shutdown();
  pair.server->read_start();
  run_until(loop, [&] { return pair.server_saw.saw("eof"); });
  CHECK(pair.server_saw.count == sent);
  CHECK(pair.server->write("answer") == WriteResult::kDone);
  run_until(loop, [&] { return pair.client_saw.bytes == "answer"; });
}

TEST_CASE("AResetIsSeenAsBrokenNotAsEnd") {
  Loop loop;
  Pair pair(loop);
  pair.client->reset();
  run_until(loop, [&] { return !pair.server_saw.events.empty(); });
  CHECK(pair.server_saw.events.back() == "broken io");
  CHECK(pair.client->write("late") == WriteResult::kBroken);
  pair.client.reset();  // after libuv closed it
  loop.turn(false);
}

TEST_CASE("AResetWhileAnEndIsOnItsWayIsStillAReset") {
  Loop loop;
  Pair pair(loop);
  pair.client->shutdown();
  pair.client->reset();
  run_until(loop, [&] { return !pair.server_saw.events.empty(); });
  CHECK(pair.server_saw.events.back() == "broken io");
}

TEST_CASE("AResetBehindAnEndIsStillAReset") {
  Loop loop;
  Pair pair(loop);
  pair.client->shutdown();
  run_until(loop, [&] { return pair.server_saw.saw("eof"); });
  pair.client->reset();
  run_until(loop, [&] { return pair.server->write("x") == WriteResult::kBroken; });
}

TEST_CASE("WritingToAClosedPeerBreaksWithoutACallbackFromTheWrite") {
  Loop loop;
  Pair pair(loop);
  pair.server.reset();
  run_until(loop, [&] { return pair.client_saw.saw("eof"); });
  pair.client_saw.events.clear();
  // The first write provokes the reset, a later one meets it.
  WriteResult result = WriteResult::kDone;
  run_until(loop, [&] {
    result = pair.client->write("x");
    return result == WriteResult::kBroken;
  });
  CHECK(pair.client_saw.events.empty());
  CHECK(pair.client->write("y") == WriteResult::kBroken);
}

TEST_CASE("APendingWriteToAPeerThatGoesIsReported") {
  Loop loop;
  Pair pair(loop);
  pair.server->read_stop();
  pair.client->read_stop();  // so that only the writing side can notice
  const std::string piece(1'000'000, 'x');
  while (pair.client->pending_bytes() == 0) {
    REQUIRE(pair.client->write(piece) != WriteResult::kBroken);
  }
  pair.server->reset();
  run_until(loop, [&] { return pair.client_saw.events.size() == 2; });
  CHECK(pair.client_saw.events.back() == "broken io");
}

TEST_CASE("ClosingAtEveryStepIsSilentAndFreesAll") {
  Loop loop;
  SUBCASE("while connecting") {
    auto listener = TcpListener::open(loop, {"127.0.0.1", 0}, {[](Socket, const auto&) {}, {}});
    Recorder saw;
    auto stream = TcpStream::connect(loop, (*listener)->address(), saw);
    stream->reset();
    for (int i = 0; i < 5; ++i) {
      loop.turn(false);
    }
    CHECK(saw.events.empty());
  }
  SUBCASE("inside on_connected") {
    auto listener = TcpListener::open(loop, {"127.0.0.1", 0}, {[](Socket, const auto&) {}, {}});
    Recorder saw;
    std::unique_ptr<TcpStream> stream;
    saw.then = [&](const std::string&) { stream.reset(); };
    stream = std::move(TcpStream::connect(loop, (*listener)->address(), saw).value());
    run_until(loop, [&] { return stream == nullptr; });
    CHECK(saw.events.size() == 1);
  }
  SUBCASE("inside on_read") {
    Pair pair(loop);
    pair.server_saw.then = [&](const std::string&) { pair.server.reset(); };
    REQUIRE(pair.client->write(std::string(200'000, 'x')) != WriteResult::kBroken);
    run_until(loop, [&] { return pair.server == nullptr; });
    loop.turn(false);
    CHECK(pair.server_saw.events.size() == 1);
  }
  SUBCASE("inside on_eof") {
    Pair pair(loop);
    pair.server_saw.then = [&](const std::string&) { pair.server.reset(); };
    pair.client.reset();
    run_until(loop, [&] { return pair.server == nullptr; });
  }
  SUBCASE("with bytes pending, also inside on_drained") {
    Pair pair(loop);
    pair.server->read_stop();
    while (pair.client->pending_bytes() == 0) {
      REQUIRE(pair.client->write(std::string(1'000'000, 'x')) != WriteResult::kBroken);
    }
    SUBCASE("drained") {
      pair.client_saw.then = [&](const std::string& event) {
        if (event == "drained") {
          pair.client.reset();
        }
      };
      pair.server->read_start();
      run_until(loop, [&] { return pair.client == nullptr; });
    }
    SUBCASE("destroyed") {
      pair.client.reset();
      loop.turn(false);
      CHECK(pair.client_saw.events == std::vector<std::string>{"connected"});
    }
    SUBCASE("reset, then destroyed before libuv closed it") {
      pair.client->reset();
      pair.client.reset();
    }
    SUBCASE("shut down, then reset") {
      pair.client->shutdown();
      pair.client->reset();
    }
  }
  loop.turn(false);
}

TEST_CASE("ANewHandlerGetsWhatFollows") {
  Loop loop;
  Pair pair(loop);
  Recorder second;
  pair.server->set_handler(second);
  CHECK(pair.client->write("to the second") == WriteResult::kDone);
  run_until(loop, [&] { return !second.bytes.empty(); });
  CHECK(second.bytes == "to the second");
  CHECK(pair.server_saw.bytes.empty());
}

}  // namespace ringside::net::test
