#include <sys/resource.h>

#include "tests/unit/peer/peer_fixture.h"

namespace ringside::peer::test {

namespace {

// Room for 1,000 connections, both ends of which are ours.
void allow_descriptors(rlim_t wanted) {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  REQUIRE(limit.rlim_max >= wanted);
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = wanted;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  }
}

}  // namespace

TEST_CASE("WhatIsNoHandshakeEndsTheConnectionAtOnce") {
  const struct {
    const char* what;
    Bytes bytes;
    const char* reason;
  } rows[] = {
      {"HTTP", {'G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T', 'P'}, "a frame of"},
      {"a huge length", {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, "a frame of"},
      {"over a handshake's length", {0, 0, 4, 1, 0, 0, 0, 0}, "a frame of"},
      {"no length", {0, 0, 0, 0, 0, 0, 0, 0}, "a frame of"},
      {"a wrong check", {0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 'x'}, "CRC"},
      {"another frame", *text_frame("hello"), "not a member"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    net::Loop loop;
    Hub one(loop, member(1));
    Raw stranger(loop, one);
    stranger.send(row.bytes);
    run_until(loop, [&] { return stranger.ended(); });
    CHECK(one.handler.logged("refused a stranger") == 1);
    CHECK(one.handler.logged(row.reason) == 1);
    CHECK(one.handler.events.empty());
  }
}

TEST_CASE("ThePauseBetweenDialsDoublesAndTheProblemIsLoggedOnce") {
  net::Loop loop;
  std::vector<Instant> dials;
  auto listener = net::TcpListener::open(
      loop, {"127.0.0.1", 0},
      {[&](net::Socket, const net::SocketAddress&) { dials.push_back(loop.now()); }, {}});
  REQUIRE(listener.has_value());
  Hub two(loop, member(2), {config::Voter{1, {"127.0.0.1", (*listener)->port()}}});
  run_until(loop, [&] { return dials.size() >= 5; });
  Duration least = PeerHub::kFirstPause;
  for (std::size_t i = 1; i < dials.size(); ++i) {
    // The pause runs from when the end was seen, which is after the accept.
    CHECK(dials[i] - dials[i - 1] >= least);
    least *= 2;
  }
  CHECK(two.handler.logged("no link to member 1") == 1);
}

TEST_CASE("APeerThatDoesNotReadIsGivenUpAtTheBound") {
  net::Loop loop;
  Hub one(loop, member(1));
  Raw two(loop, one);
  two.greet(2);
  run_until(loop, [&] { return one.handler.saw("up 2"); });
  two.stream->read_stop();
  const auto frame = coord::make_frame(Bytes(std::size_t{16} << 20U));
  const std::size_t enough = PeerLink::kMaxPendingBytes / frame->size() + 2;
  for (std::size_t i = 0; i < enough; ++i) {
    one.hub.send(coord::MemberId{2}, frame);
    CHECK_FALSE(one.handler.saw("down 2"));  // never from within send()
  }
  run_until(loop, [&] { return one.handler.saw("down 2"); });
  CHECK(one.handler.logged("does not read") == 1);
}

TEST_CASE("AThousandSilentConnectionsKeepNobodyOutForLong") {
  allow_descriptors(4096);
  net::Loop loop;
  Hub one(loop, member(1));
  const Instant began = loop.now();
  std::vector<std::unique_ptr<Raw>> silent;
  for (int i = 0; i < 1000; ++i) {
    silent.push_back(std::make_unique<Raw>(loop, one));
  }
  // Half a frame is silence too.
  const auto frame = coord::make_frame(coord::encode_handshake(member(2)));
  for (auto& raw : silent) {
    if (!raw->ended()) {
      raw->send(ByteView(*frame).first(frame->size() / 2));
      break;
    }
  }
  const auto ended = [&] {
    return static_cast<std::size_t>(
        std::count_if(silent.begin(), silent.end(), [](const auto& raw) { return raw->ended(); }));
  };
  run_until(loop, [&] { return ended() == silent.size(); });
  CHECK(loop.now() - began >= PeerHub::kHandshakeTime);
  CHECK(one.handler.events.empty());
  CHECK(one.handler.logged("too many at once") >= 1);
  CHECK(one.handler.lines.size() <= PeerHub::kRefusalsTold + 1);

  Raw friendly(loop, one);
  friendly.greet(2);
  run_until(loop, [&] { return one.handler.saw("up 2"); });
}

TEST_CASE("ObserversUpToTheBoundKeepNoVoterOut") {
  constexpr std::uint64_t kFirstObserver = coord::kMinObserverId;
  constexpr std::size_t kMost = 3;
  net::Loop loop;
  FakeHandler handler(member(1));
  PeerHub hub(loop, handler, {"127.0.0.1", 0}, {}, kMost);
  REQUIRE(hub.start(coord::MemberId{1}).has_value());
  std::vector<std::unique_ptr<Raw>> raws;
  const auto call = [&](std::uint64_t id) {
    raws.push_back(std::make_unique<Raw>(loop, hub));
    raws.back()->greet(id);
  };
  for (std::size_t i = 0; i < kMost; ++i) {
    call(kFirstObserver + i);
  }
  run_until(loop, [&] { return handler.events.size() == kMost; });

  call(kFirstObserver + kMost);
  run_until(loop, [&] { return raws.back()->ended(); });
  CHECK(handler.logged("3 observers have a link already") == 1);
  call(2);
  run_until(loop, [&] { return handler.saw("up 2"); });
  // One that was there may come anew.
  call(kFirstObserver);
  run_until(loop, [&] { return handler.count("up 4294967296") == 2; });
}

TEST_CASE("ATakenPortIsAnError") {
  net::Loop loop;
  Hub one(loop, member(1));
  FakeHandler handler(member(2));
  PeerHub second(loop, handler, {"127.0.0.1", one.hub.port()}, {});
  const Status started = second.start(coord::MemberId{2});
  REQUIRE_FALSE(started.has_value());
  CHECK(started.error().message.find(std::to_string(one.hub.port())) != std::string::npos);
  CHECK(started.error().message.find("ring.listen") != std::string::npos);
}

}  // namespace ringside::peer::test
