// A stream that was accepted and that the loop does not know of yet.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include "net_fixture.h"

namespace ringside::net::test {

namespace {

// One end adopted and never read so far, the other one a bare socket that never waits.
struct Adopted {
  explicit Adopted(Loop& loop) {
    std::array<int, 2> ends{-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    far_end = Socket(ends[1]);
    stream = TcpStream::adopt(loop, Socket(ends[0]), saw);
  }
  void send(std::string_view bytes) const {
    REQUIRE(::send(far_end.fd(), bytes.data(), bytes.size(), 0) ==
            static_cast<ssize_t>(bytes.size()));
  }
  [[nodiscard]] std::string received() const {
    std::array<char, 65536> buffer;
    const ssize_t count = ::recv(far_end.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return {buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
  }

  Socket far_end;
  Recorder saw;
  std::unique_ptr<TcpStream> stream;
};

std::string text(std::span<const char> bytes) {
  return {bytes.data(), bytes.size()};
}

}  // namespace

TEST_CASE("WhatIsThereAlreadyIsReadAtOnceAndTheRestByTheLoop") {
  Loop loop;
  Adopted one(loop);
  CHECK(one.stream->read_now().empty());
  one.send("first");
  CHECK(text(one.stream->read_now()) == "first");
  CHECK(one.saw.events.empty());
  one.send("second");
  one.stream->read_start();
  run_until(loop, [&] { return one.saw.bytes == "second"; });
}

TEST_CASE("AnEndMetByAReadAtOnceIsToldByTheLoop") {
  Loop loop;
  Adopted one(loop);
  one.far_end.reset();
  CHECK(one.stream->read_now().empty());
  CHECK(one.saw.events.empty());
  one.stream->read_start();
  run_until(loop, [&] { return one.saw.saw("eof"); });
}

TEST_CASE("WhatIsWrittenUnknownToTheLoopLeavesAtOnce") {
  Loop loop;
  Adopted one(loop);
  const std::array<std::string_view, 3> pieces{"one ", "", "write"};
  CHECK(one.stream->write(pieces) == WriteResult::kDone);
  CHECK(one.received() == "one write");
  one.stream.reset();
  CHECK(::recv(one.far_end.fd(), nullptr, 0, 0) == 0);
  loop.turn(false);
  CHECK(one.saw.events.empty());
}

TEST_CASE("TheEndThatWasAnnouncedFollowsWhatWasWritten") {
  Loop loop;
  std::unique_ptr<TcpStream> accepted;
  Recorder accepted_saw;
  const auto listener = std::move(TcpListener::open(loop, {"127.0.0.1", 0},
                                                    {[&](Socket socket, const SocketAddress&) {
                                                       accepted = TcpStream::adopt(
                                                           loop, std::move(socket), accepted_saw);
                                                     },
                                                     {}})
                                      .value());
  for (const bool half : {false, true}) {
    Recorder saw;
    const auto client = std::move(TcpStream::connect(loop, listener->address(), saw).value());
    run_until(loop, [&] { return accepted != nullptr && saw.saw("connected"); });
    client->read_start();
    const std::array<std::string_view, 2> pieces{"last ", "words"};
    CHECK(accepted->write(pieces, TcpStream::Then::kEndFollows) == WriteResult::kDone);
    if (half) {
      accepted->shutdown();
    } else {
      accepted.reset();
    }
    run_until(loop, [&] { return saw.saw("eof"); });
    CHECK(saw.bytes == "last words");
    accepted.reset();
  }
}

TEST_CASE("WhatDoesNotFitOnAnUnknownStreamFollowsByTheLoop") {
  Loop loop;
  Adopted one(loop);
  const std::string much(4'000'000, 'x');
  CHECK(one.stream->write(much) == WriteResult::kPending);
  std::size_t count = 0;
  run_until(loop, [&] {
    count += one.received().size();
    return one.saw.saw("drained");
  });
  while (count < much.size()) {
    count += one.received().size();
  }
  CHECK(count == much.size());
}

TEST_CASE("AnUnknownStreamHalfClosesAndBreaksAsAnyOther") {
  Loop loop;
  Adopted half(loop);
  half.stream->shutdown();
  std::array<char, 1> buffer;
  run_until(loop, [&] {
    return ::recv(half.far_end.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT) == 0;
  });
  Adopted gone(loop);
  gone.far_end.reset();
  CHECK(gone.stream->write("late") == WriteResult::kBroken);
  CHECK(gone.saw.events.empty());
}

TEST_CASE("AnUnknownStreamThatIsResetIsSeenAsBroken") {
  Loop loop;
  std::unique_ptr<TcpStream> accepted;
  Recorder accepted_saw;
  Recorder client_saw;
  const auto listener = std::move(TcpListener::open(loop, {"127.0.0.1", 0},
                                                    {[&](Socket socket, const SocketAddress&) {
                                                       accepted = TcpStream::adopt(
                                                           loop, std::move(socket), accepted_saw);
                                                     },
                                                     {}})
                                      .value());
  const auto client = std::move(TcpStream::connect(loop, listener->address(), client_saw).value());
  run_until(loop, [&] { return accepted != nullptr && client_saw.saw("connected"); });
  client->read_start();
  accepted->reset();
  CHECK(accepted->write("late") == WriteResult::kBroken);
  run_until(loop, [&] { return client_saw.saw("broken io"); });
}

}  // namespace ringside::net::test
