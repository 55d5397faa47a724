#include "sidecar/net/tcp_connect.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net_fixture.h"
#include "sidecar/net/dns.h"
#include "sidecar/net/socket.h"

namespace ringside::net::test {

namespace {

using Connected = std::optional<Result<std::unique_ptr<TcpStream>>>;

TcpConnect::Callback store(Connected& into) {
  return [&into](auto result) { into = std::move(result); };
}

// A port of 127.0.0.1 on which nothing listens.
std::uint16_t free_port() {
  Loop loop;
  return TcpListener::open(loop, {"127.0.0.1", 0}, {[](Socket, const auto&) {}, {}})
      .value()
      ->port();
}

}  // namespace

TEST_CASE("AddressesParseAndPrint") {
  CHECK(SocketAddress::numeric("10.0.0.5", 80)->to_string() == "10.0.0.5:80");
  CHECK(SocketAddress::numeric("::1", 443)->to_string() == "[::1]:443");
  CHECK(SocketAddress::numeric("::ffff:10.0.0.5", 1)->ip() == "10.0.0.5");
  CHECK_FALSE(SocketAddress::numeric("localhost", 80).has_value());
  CHECK_FALSE(SocketAddress::numeric("10.0.0.256", 80).has_value());
  CHECK_FALSE(SocketAddress::numeric("::1%no-such-interface", 80).has_value());
  CHECK(SocketAddress().to_string().empty());
  CHECK(SocketAddress::from(nullptr).empty());
}

// A connection to a port of the own host where nobody listens, that comes from this very port. The
// kernel gives ports to come from in turn: one of them is asked for until each was given.
TEST_CASE("WhoConnectsToAPortThatNobodyListensOnNeverReachesItself") {
  int low = 0;
  int high = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> low >> high;
  REQUIRE(low < high);
  Loop loop;
  // Those of one parity first.
  int port = low;
  while (!TcpListener::open(loop, {"127.0.0.1", static_cast<std::uint16_t>(port)}, {})) {
    port += 2;
  }
  loop.turn(false);  // closed again
  const auto where = *SocketAddress::numeric("127.0.0.1", static_cast<std::uint16_t>(port));
  int connected = 0;
  for (int tries = (high - low) / 2 + 2000; tries > 0 && connected == 0; --tries) {
    Recorder saw;
    auto stream = TcpStream::connect(loop, where, saw);
    REQUIRE(stream.has_value());
    while (saw.events.empty()) {
      loop.turn(true);
    }
    connected += saw.saw("connected") ? 1 : 0;
  }
  CHECK(connected == 0);
}

TEST_CASE("ListeningOnATakenPortNamesTheAddress") {
  Loop loop;
  auto first = TcpListener::open(loop, {"127.0.0.1", 0}, {[](Socket, const auto&) {}, {}});
  REQUIRE(first.has_value());
  CHECK((*first)->port() != 0);
  const config::Address same{"127.0.0.1", (*first)->port()};
  const auto second = TcpListener::open(loop, same, {[](Socket, const auto&) {}, {}});
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().message == "cannot bind " + same.to_string() + ": Address already in use");
  const auto name = TcpListener::open(loop, {"example", 0}, {[](Socket, const auto&) {}, {}});
  CHECK(name.error().code == ErrorCode::kInvalid);
}

TEST_CASE("AListenerMayBeClosedWhileItAccepts") {
  Loop loop;
  std::unique_ptr<TcpListener> listener;
  int accepted = 0;
  listener = std::move(TcpListener::open(loop, {"127.0.0.1", 0},
                                         {[&](Socket, const SocketAddress&) {
                                            ++accepted;
                                            listener.reset();
                                          },
                                          {}})
                           .value());
  Recorder saw;
  auto one = TcpStream::connect(loop, listener->address(), saw);
  auto two = TcpStream::connect(loop, listener->address(), saw);
  run_until(loop, [&] { return accepted > 0; });
  loop.turn(false);
  CHECK(accepted == 1);
}

TEST_CASE("OutOfDescriptorsPausesAndComesBack") {
  Loop loop;
  int accepted = 0;
  int trouble = 0;
  auto listener = TcpListener::open(
      loop, {"127.0.0.1", 0},
      {[&](Socket, const SocketAddress&) { ++accepted; }, [&](const Error&) { ++trouble; }});
  Recorder saw;
  auto client = TcpStream::connect(loop, (*listener)->address(), saw);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  // Below what is open already, so that the next descriptor is refused.
  const rlimit none{3, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  run_until(loop, [&] { return trouble > 0; });
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(accepted == 0);
  run_until(loop, [&] { return accepted == 1; });
  CHECK(trouble == 1);
}

TEST_CASE("ConnectReachesANumericAddressAndAName") {
  Loop loop;
  auto listener = TcpListener::open(loop, {"127.0.0.1", 0}, {[](Socket, const auto&) {}, {}});
  for (const char* host : {"127.0.0.1", "localhost"}) {
    Connected result;
    TcpConnect connect(loop, {host, (*listener)->port()}, seconds{5}, store(result));
    CHECK_FALSE(result.has_value());  // never from inside the constructor
    run_until(loop, [&] { return result.has_value(); });
    CHECK(result->has_value());
  }
}

TEST_CASE("ARefusedConnectSaysWhereAndWhy") {
  Loop loop;
  Connected result;
  const config::Address nowhere{"127.0.0.1", free_port()};
  TcpConnect connect(loop, nowhere, seconds{5}, store(result));
  CHECK_FALSE(result.has_value());
  run_until(loop, [&] { return result.has_value(); });
  REQUIRE_FALSE(result->has_value());
  CHECK(result->error().code == ErrorCode::kRefused);
  CHECK(result->error().message == nowhere.to_string() + ": cannot connect: connection refused");
}

TEST_CASE("AnUnansweredConnectTimesOut") {
  Loop loop;
  // A listener whose queue is full: further connections get no answer.
  Socket silent(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(silent.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(silent.fd(), 0) == 0);
  socklen_t size = sizeof address;
  ::getsockname(silent.fd(), reinterpret_cast<sockaddr*>(&address), &size);
  const std::uint16_t port = ntohs(address.sin_port);
  Recorder filler_saw;
  std::vector<std::unique_ptr<TcpStream>> fillers;
  for (int i = 0; i < 4; ++i) {
    fillers.push_back(std::move(
        TcpStream::connect(loop, *SocketAddress::numeric("127.0.0.1", port), filler_saw).value()));
  }
  run_until(loop, [&] { return filler_saw.saw("connected"); });

  Connected result;
  TcpConnect connect(loop, {"127.0.0.1", port}, milliseconds{50}, store(result));
  run_until(loop, [&] { return result.has_value(); });
  REQUIRE_FALSE(result->has_value());
  CHECK(result->error().code == ErrorCode::kTimeout);
  CHECK(result->error().message.find("no answer within 50 ms") != std::string::npos);
}

TEST_CASE("AnUnknownNameIsNotFound") {
  Loop loop;
  Connected result;
  TcpConnect connect(loop, {"no-such-host.invalid", 80}, seconds{9}, store(result));
  run_until(loop, [&] { return result.has_value(); });
  REQUIRE_FALSE(result->has_value());
  CHECK(result->error().code == ErrorCode::kNotFound);
  CHECK(result->error().message.find("no-such-host.invalid") != std::string::npos);
}

TEST_CASE("GivingUpIsSilent") {
  Loop loop;
  Connected result;
  {
    TcpConnect refused(loop, {"127.0.0.1", free_port()}, seconds{5}, store(result));
    TcpConnect unresolved(loop, {"localhost", 1}, seconds{5}, store(result));
  }
  for (int i = 0; i < 10; ++i) {
    loop.turn(false);
  }
  CHECK_FALSE(result.has_value());
}

TEST_CASE("AResolveMayBeDestroyedInItsCallback") {
  Loop loop;
  std::unique_ptr<Resolve> resolve;
  std::size_t found = 0;
  resolve = std::make_unique<Resolve>(loop, config::Address{"localhost", 81}, [&](auto result) {
    REQUIRE(result.has_value());
    found = result->size();
    CHECK(result->front().port() == 81);
    resolve.reset();
  });
  run_until(loop, [&] { return found > 0; });
}

TEST_CASE("ANameThatLibuvRefusesIsAnErrorFromTheLoop") {
  Loop loop;
  Connected result;
  TcpConnect connect(loop, {std::string(400, 'a'), 80}, seconds{5}, store(result));
  CHECK_FALSE(result.has_value());
  run_until(loop, [&] { return result.has_value(); });
  CHECK(result->error().code == ErrorCode::kNotFound);
}

}  // namespace ringside::net::test
