// The tunnel by itself: two real connections, the test at the far end of each.
#include "sidecar/proxy/tunnel.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/net/net_fixture.h"

namespace ringside::proxy {

namespace {

using net::test::Pair;
using net::test::run_until;

constexpr std::size_t kMostHeld = Tunnel::kHighWater + 64 * 1024;  // and one read

// `caller` and `host` are what the far ends saw.
struct Bench final : TunnelOwner {
  explicit Bench(milliseconds idle = seconds{300}) {
    down.server->read_stop();
    up.client->read_stop();
    tunnel.emplace(loop, TunnelSide{*down.server, down.server_saw},
                   TunnelSide{*up.client, up.client_saw}, idle, *this);
  }

  void on_tunnel_end(TunnelEnd end) override {
    ends.push_back(end);
    from_downstream = tunnel->bytes_from_downstream();
    from_upstream = tunnel->bytes_from_upstream();
    if (end != TunnelEnd::kFinished) {
      tunnel->reset_both();
    }
    tunnel.reset();  // inside its own callback, as the invariant has it
  }
  void start() { tunnel->start({}, false, {}); }
  void wait(const std::function<bool()>& done) { run_until(loop, done); }
  void wait_for_end() {
    wait([this] { return !ends.empty(); });
    REQUIRE(ends.size() == 1);
  }
  // As the owner of a tunnel that is over does.
  void close_both() {
    down.server.reset();
    up.client.reset();
  }

  net::Loop loop;
  Pair down{loop};
  Pair up{loop};
  net::TcpStream& caller = *down.client;
  net::TcpStream& host = *up.server;
  net::test::Recorder& caller_saw = down.client_saw;
  net::test::Recorder& host_saw = up.server_saw;
  std::optional<Tunnel> tunnel;
  std::vector<TunnelEnd> ends;
  std::uint64_t from_downstream = 0;
  std::uint64_t from_upstream = 0;
};

// Fills what lies between `from` and a far end that does not read.
std::size_t fill(Bench& bench, net::TcpStream& from, const net::TcpStream& read_by_tunnel) {
  const std::string piece(64 * 1024, 'x');
  std::size_t sent = 0;
  bench.wait([&] {
    while (from.pending_bytes() == 0) {
      REQUIRE(from.write(piece) != net::WriteResult::kBroken);
      sent += piece.size();
    }
    return !read_by_tunnel.reading();
  });
  return sent;
}

// From the host, until the tunnel holds something for a caller that does not read; all of it was
// taken from the host.
std::size_t fill_until_held(Bench& bench) {
  const std::string piece(64 * 1024, 'x');
  std::size_t sent = 0;
  bench.wait([&] {
    if (bench.down.server->pending_bytes() == 0) {
      REQUIRE(bench.host.write(piece) != net::WriteResult::kBroken);
      sent += piece.size();
    }
    return bench.down.server->pending_bytes() > 0 && bench.host.pending_bytes() == 0;
  });
  return sent;
}

}  // namespace

TEST_CASE("WithoutAnIdleTimeTheKernelAsksBothPeers") {
  const auto asked = [] {
    int count = 0;
    for (int fd = 0; fd < 256; ++fd) {
      int on = 0;
      socklen_t size = sizeof on;
      count += ::getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size) == 0 && on != 0 ? 1 : 0;
    }
    return count;
  };
  {
    Bench bench(seconds{300});
    CHECK(asked() == 0);
  }
  Bench bench(milliseconds{0});
  CHECK(asked() == 2);
}

TEST_CASE("EarlyBytesGoFirstThenBothWays") {
  Bench bench;
  const std::string from_caller = "early up ";
  const std::string from_host = "early down ";
  bench.tunnel->start(from_caller, false, from_host);
  CHECK(bench.caller.write("up") == net::WriteResult::kDone);
  CHECK(bench.host.write("down") == net::WriteResult::kDone);
  bench.wait([&] {
    return bench.host_saw.bytes == "early up up" && bench.caller_saw.bytes == "early down down";
  });
  CHECK(bench.tunnel->bytes_from_downstream() == 11);
  CHECK(bench.tunnel->bytes_from_upstream() == 15);
}

TEST_CASE("TheCallersEndIsPassedOnAndTheAnswerStillComes") {
  Bench bench;
  bench.start();
  CHECK(bench.caller.write("question") == net::WriteResult::kDone);
  bench.caller.shutdown();
  bench.wait([&] { return bench.host_saw.saw("eof"); });
  CHECK(bench.host_saw.bytes == "question");
  CHECK(bench.host.write("answer") == net::WriteResult::kDone);
  bench.wait([&] { return bench.caller_saw.bytes == "answer"; });
  CHECK(bench.ends.empty());
  bench.host.shutdown();
  bench.wait_for_end();
  CHECK(bench.ends[0] == TunnelEnd::kFinished);
  bench.close_both();
  bench.wait([&] { return bench.caller_saw.saw("eof"); });
}

TEST_CASE("TheHostsEndIsPassedOnAndTheCallerMayGoOn") {
  Bench bench;
  bench.start();
  bench.host.shutdown();
  bench.wait([&] { return bench.caller_saw.saw("eof"); });
  CHECK(bench.caller.write("still here") == net::WriteResult::kDone);
  bench.wait([&] { return bench.host_saw.bytes == "still here"; });
  CHECK(bench.ends.empty());
  bench.caller.shutdown();
  bench.wait_for_end();
  CHECK(bench.ends[0] == TunnelEnd::kFinished);
  CHECK(bench.from_downstream == 10);
}

TEST_CASE("AnEndThatWasReadBeforeTheTunnelIsPassedOn") {
  Bench bench;
  const std::string early = "all I have";
  bench.tunnel->start(early, true, {});
  bench.wait([&] { return bench.host_saw.saw("eof"); });
  CHECK(bench.host_saw.bytes == early);
}

TEST_CASE("ASlowHostHoldsTheCallerBackAtTheWatermark") {
  Bench bench;
  bench.up.server->read_stop();
  bench.start();
  const std::size_t sent = fill(bench, bench.caller, *bench.down.server);
  CHECK(bench.up.client->pending_bytes() > Tunnel::kHighWater);
  CHECK(bench.up.client->pending_bytes() <= kMostHeld);
  bench.host_saw.keep_bytes = false;
  bench.host.read_start();
  bench.wait([&] { return bench.host_saw.count == sent; });
  CHECK(bench.down.server->reading());
}

TEST_CASE("ASlowCallerHoldsTheHostBackAtTheWatermark") {
  Bench bench;
  bench.down.client->read_stop();
  bench.start();
  const std::size_t sent = fill(bench, bench.host, *bench.up.client);
  CHECK(bench.down.server->pending_bytes() <= kMostHeld);
  // The other direction does not care.
  CHECK(bench.caller.write("hurry") == net::WriteResult::kDone);
  bench.wait([&] { return bench.host_saw.bytes == "hurry"; });
  bench.caller_saw.keep_bytes = false;
  bench.caller.read_start();
  bench.wait([&] { return bench.caller_saw.count == sent; });
}

TEST_CASE("BothEndsDoNotEndItBeforeAllIsDelivered") {
  Bench bench;
  bench.down.client->read_stop();
  bench.start();
  const std::size_t sent = fill_until_held(bench);
  bench.host.shutdown();
  bench.caller.shutdown();
  bench.wait([&] { return bench.host_saw.saw("eof"); });
  CHECK(bench.ends.empty());
  bench.caller_saw.keep_bytes = false;
  bench.caller.read_start();
  bench.wait_for_end();
  CHECK(bench.ends[0] == TunnelEnd::kFinished);
  bench.close_both();
  bench.wait([&] { return bench.caller_saw.saw("eof"); });
  CHECK(bench.caller_saw.count == sent);
}

TEST_CASE("AResetOfTheCallerReachesTheHostAsOne") {
  Bench bench;
  bench.start();
  bench.caller.reset();
  bench.wait_for_end();
  CHECK(bench.ends[0] == TunnelEnd::kDownstreamReset);
  bench.wait([&] { return bench.host_saw.saw("broken io"); });
  CHECK_FALSE(bench.host_saw.saw("eof"));
}

TEST_CASE("AResetOfTheHostReachesTheCallerAsOne") {
  Bench bench;
  bench.start();
  bench.host.reset();
  bench.wait_for_end();
  CHECK(bench.ends[0] == TunnelEnd::kUpstreamReset);
  bench.wait([&] { return bench.caller_saw.saw("broken io"); });
}

TEST_CASE("AResetReachesASideThatHadItsEndAlready") {
  Bench bench;
  bench.start();
  bench.host.shutdown();
  bench.wait([&] { return bench.caller_saw.saw("eof"); });
  bench.caller.reset();
  bench.wait_for_end();
  CHECK(bench.ends[0] == TunnelEnd::kDownstreamReset);
  bench.wait([&] { return bench.host_saw.saw("broken io"); });
}

TEST_CASE("WritingToAHostThatIsGoneCountsAsItsReset") {
  Bench bench;
  bench.start();
  bench.up.server.reset();
  bench.wait([&] { return bench.caller_saw.saw("eof"); });
  bench.wait([&] {
    static_cast<void>(bench.caller.write("x"));
    return !bench.ends.empty();
  });
  CHECK(bench.ends[0] == TunnelEnd::kUpstreamReset);
}

// A server that refuses (a mail too large, a frame it does not like) says so and closes, with bytes
// of ours unread: the reset that its kernel sends is seen by the next write, before its words are.
TEST_CASE("TheLastWordsOfAHostThatTakesNoMoreArrive") {
  Bench bench;
  CHECK(bench.host.write("552 too large") == net::WriteResult::kDone);
  bench.host.reset();
  const std::string more = "more of what is too large";
  bench.tunnel->start(more, false, {});
  bench.wait_for_end();
  CHECK(bench.ends[0] == TunnelEnd::kUpstreamReset);
  bench.wait([&] { return bench.caller_saw.saw("broken io"); });
  CHECK(bench.caller_saw.bytes == "552 too large");
  CHECK_FALSE(bench.caller_saw.saw("eof"));
}

TEST_CASE("TheLastWordsOfACallerThatTakesNoMoreArrive") {
  Bench bench;
  CHECK(bench.caller.write("QUIT") == net::WriteResult::kDone);
  bench.caller.reset();
  const std::string more = "more";
  bench.tunnel->start({}, false, more);
  bench.wait_for_end();
  CHECK(bench.ends[0] == TunnelEnd::kDownstreamReset);
  bench.wait([&] { return bench.host_saw.saw("broken io"); });
  CHECK(bench.host_saw.bytes == "QUIT");
}

TEST_CASE("WhatAHostSaidBeforeItsEndIsDeliveredThoughItTakesNoMore") {
  Bench bench;
  bench.down.client->read_stop();
  bench.start();
  const std::size_t sent = fill_until_held(bench);
  bench.up.server.reset();  // closes: its end, and a reset for whoever writes to it
  // Now the caller goes on, until a write fails.
  bench.wait([&] {
    static_cast<void>(bench.caller.write("x"));
    return !bench.down.server->reading() || !bench.ends.empty();
  });
  CHECK(bench.ends.empty());
  CHECK(bench.tunnel->bytes_from_upstream() == sent);
  bench.caller_saw.keep_bytes = false;
  bench.caller.read_start();
  bench.wait_for_end();
  CHECK(bench.ends[0] == TunnelEnd::kUpstreamReset);
}

TEST_CASE("BothTakeNoMore") {
  Bench bench;
  bench.host.reset();
  bench.caller.reset();
  const std::string early = "early";
  bench.tunnel->start(early, false, early);
  bench.wait_for_end();
}

// What libuv reads in one go with the reset behind it must not look complete.
TEST_CASE("AResetRightBehindBytesIsNoEnd") {
  Bench bench;
  bench.start();
  CHECK(bench.host.write("half of it") == net::WriteResult::kDone);
  bench.host.reset();
  bench.wait_for_end();
  CHECK(bench.ends[0] == TunnelEnd::kUpstreamReset);
  bench.wait([&] { return bench.caller_saw.saw("broken io"); });
  CHECK(bench.caller_saw.bytes == "half of it");
  CHECK_FALSE(bench.caller_saw.saw("eof"));
}

TEST_CASE("SilenceEndsIt") {
  Bench bench(milliseconds{500});
  bench.start();
  const Instant due = bench.tunnel->due();
  bench.tunnel->on_deadline(due - milliseconds{1});
  CHECK(bench.ends.empty());
  bench.tunnel->on_deadline(due);
  REQUIRE(bench.ends == std::vector{TunnelEnd::kIdle});
  bench.wait([&] { return bench.caller_saw.saw("broken io") && bench.host_saw.saw("broken io"); });
}

TEST_CASE("EachByteMovesTheDeadline") {
  Bench bench(seconds{300});
  bench.start();
  const Instant before = bench.tunnel->due();
  bench.wait([&] { return bench.loop.coarse_now() + seconds{300} > before + milliseconds{2}; });
  CHECK(bench.host.write("tick") == net::WriteResult::kDone);
  bench.wait([&] { return bench.caller_saw.bytes == "tick"; });
  CHECK(bench.tunnel->due() > before);
}

TEST_CASE("WithoutALimitItIsNeverDue") {
  Bench bench(milliseconds{0});
  bench.start();
  CHECK(bench.tunnel->due() == kNever);
}

// A pair with a small buffer in the kernel, so that what is held leaves bit by bit.
TEST_CASE("APeerThatReadsSlowlyIsNotSilent") {
  Bench bench;
  int fds[2] = {-1, -1};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
  const int small = 16 * 1024;
  REQUIRE(::setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
  const net::Socket reader(fds[1]);
  const auto stream = net::TcpStream::adopt(bench.loop, net::Socket(fds[0]), bench.up.client_saw);
  bench.tunnel.reset();
  bench.tunnel.emplace(bench.loop, TunnelSide{*bench.down.server, bench.down.server_saw},
                       TunnelSide{*stream, bench.up.client_saw}, milliseconds{500}, bench);
  bench.start();
  fill(bench, bench.caller, *bench.down.server);
  const std::size_t held = stream->unacknowledged();
  char taken[4096];
  bench.wait([&] {
    static_cast<void>(::recv(reader.fd(), taken, sizeof taken, 0));
    return stream->unacknowledged() < held;
  });
  REQUIRE(stream->unacknowledged() > 0);
  bench.tunnel->on_deadline(bench.tunnel->due());
  CHECK(bench.ends.empty());
  bench.tunnel->on_deadline(bench.tunnel->due());  // nothing left meanwhile
  CHECK(bench.ends == std::vector{TunnelEnd::kIdle});
}

TEST_CASE("ATunnelThatGoesGivesTheStreamsBack") {
  Bench bench;
  bench.start();
  bench.tunnel.reset();
  CHECK(bench.caller.write("for the handler before") == net::WriteResult::kDone);
  bench.wait([&] { return bench.down.server_saw.bytes == "for the handler before"; });
  CHECK(bench.ends.empty());
  CHECK(bench.host_saw.bytes.empty());
}

}  // namespace ringside::proxy
