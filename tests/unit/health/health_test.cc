#include <doctest/doctest.h>

#include <optional>

#include "sidecar/health/checker.h"
#include "tests/unit/net/net_fixture.h"

namespace ringside::health {

namespace {

using balancer::HealthPhase;
using net::test::Recorder;
using net::test::run_until;

// An app that answers each connection with fixed bytes, closes it then or not, or says nothing.
struct App {
  App(net::Loop& the_loop, std::string the_answer, bool and_close)
      : loop(the_loop), answer(std::move(the_answer)), close(and_close) {
    open({"127.0.0.1", 0});
  }
  void open(const config::Address& where) {
    auto opened = net::TcpListener::open(
        loop, where,
        {[this](net::Socket socket, const net::SocketAddress&) { serve(std::move(socket)); }, {}});
    REQUIRE(opened.has_value());
    listener = std::move(*opened);
    address = {"127.0.0.1", listener->port()};
  }
  void serve(net::Socket socket) {
    ++connections;
    auto& recorder = *recorders.emplace_back(std::make_unique<Recorder>());
    auto& stream = *streams.emplace_back(net::TcpStream::adopt(loop, std::move(socket), recorder));
    recorder.then = [this, &stream, &recorder](const std::string& event) {
      if (event == "read" && recorder.bytes.find("\r\n\r\n") != std::string::npos) {
        request = recorder.bytes;
        if (!answer.empty()) {
          static_cast<void>(stream.write(answer));
        }
        if (close) {
          stream.shutdown();
        }
      }
    };
    stream.read_start();
  }

  net::Loop& loop;
  std::string answer;
  bool close;
  int connections = 0;
  std::string request;
  config::Address address;
  std::unique_ptr<net::TcpListener> listener;
  std::vector<std::unique_ptr<Recorder>> recorders;
  std::vector<std::unique_ptr<net::TcpStream>> streams;
};

config::HealthCheck http_check(milliseconds timeout = milliseconds{5000}) {
  config::HealthCheck check;
  check.kind = config::HealthCheckKind::kHttp;
  check.http_path = "/healthz";
  check.timeout = timeout;
  check.interval = milliseconds{20};
  return check;
}

// What one probe says; empty for a pass.
std::string probe(net::Loop& loop, const config::Address& address,
                  const config::HealthCheck& check) {
  std::optional<std::string> said;
  std::unique_ptr<Probe> running;
  running = std::make_unique<Probe>(loop, address, check, [&](const std::string& failure) {
    CHECK_FALSE(said.has_value());
    said = failure;
    running.reset();  // allowed from within
  });
  run_until(loop, [&] { return said.has_value(); });
  return *said;
}

config::Address nobody(net::Loop& loop) {
  App app(loop, "", false);
  return app.address;  // its listener goes with it
}

struct Change {
  HealthPhase phase;
  std::string reason;
};

config::Service service_at(const config::Address& address, const config::HealthCheck& check) {
  config::Service service;
  service.name = "orders";
  service.address = address;
  service.health_check = check;
  return service;
}

}  // namespace

TEST_CASE("AnHttpCheckPassesFrom200To399") {
  const struct {
    const char* answer;
    const char* said;
  } rows[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
      {"HTTP/1.1 204 No Content\r\n\r\n", ""},
      {"HTTP/1.1 399 Odd\r\nContent-Length: 0\r\n\r\n", ""},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
      {"HTTP/1.0 200 OK\r\n\r\nbody until the end", ""},
      {"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", "status 400"},
      {"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno", "status 500"},
      {"SSH-2.0-OpenSSH\r\n\r\n", "not a valid response: bad_status_line"},
      {"", "the connection ended before a response"},
      {"HTTP/1.1 200", "the connection ended before a response"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.answer);
    net::Loop loop;
    App app(loop, row.answer, true);
    CHECK(probe(loop, app.address, http_check()) == row.said);
    CHECK(app.request.starts_with("GET /healthz HTTP/1.1\r\nHost: " + app.address.to_string() +
                                  "\r\n"));
  }
}

TEST_CASE("AnEndlessHeadFails") {
  net::Loop loop;
  App app(loop, "HTTP/1.1 200 OK\r\nA: " + std::string(300'000, 'x'), false);
  CHECK(probe(loop, app.address, http_check()).starts_with("not a valid response"));
}

TEST_CASE("ASilentAppFailsWhenTheTimeIsUp") {
  net::Loop loop;
  App app(loop, "", false);
  const Instant began = loop.now();
  CHECK(probe(loop, app.address, http_check(milliseconds{60})) == "no answer within 60 ms");
  CHECK(loop.now() - began >= milliseconds{59});  // libuv counts whole ms
  CHECK(app.connections == 1);
}

TEST_CASE("ATcpCheckAsksForAConnectionOnly") {
  net::Loop loop;
  App app(loop, "", false);
  config::HealthCheck check;
  CHECK(probe(loop, app.address, check).empty());
  const auto gone = nobody(loop);
  CHECK(probe(loop, gone, check).find(gone.to_string()) != std::string::npos);
  CHECK(probe(loop, gone, http_check()).find(gone.to_string()) != std::string::npos);
}

TEST_CASE("ADestroyedProbeSaysNothing") {
  net::Loop loop;
  App app(loop, "", false);
  bool called = false;
  auto running = std::make_unique<Probe>(loop, app.address, http_check(milliseconds{50}),
                                         [&](const std::string&) { called = true; });
  run_until(loop, [&] { return !app.request.empty(); });
  running.reset();
  net::Timer wait(loop, [] {});
  wait.start(milliseconds{100});
  run_until(loop, [&] { return !wait.active(); });
  CHECK_FALSE(called);
}

TEST_CASE("OnePassRegistersFallFailuresMarkAndRisePassesClear") {
  net::Loop loop;
  App app(loop, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true);
  std::vector<Change> changes;
  auto check = http_check();
  check.fall = 3;
  check.rise = 2;
  Checker checker(
      loop, service_at(app.address, check),
      [&](HealthPhase phase, const std::string& reason) { changes.push_back({phase, reason}); });
  CHECK(checker.phase() == HealthPhase::kStarting);
  run_until(loop, [&] { return changes.size() == 1; });
  CHECK(changes[0].phase == HealthPhase::kUp);
  CHECK(app.connections == 1);

  app.answer = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
  const int before = app.connections;
  run_until(loop, [&] { return changes.size() == 2; });
  CHECK(changes[1].phase == HealthPhase::kUnhealthy);
  CHECK(changes[1].reason == "status 503");
  CHECK(app.connections == before + 3);
  CHECK(checker.last_failure() == "status 503");

  app.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  run_until(loop, [&] { return changes.size() == 3; });
  CHECK(changes[2].phase == HealthPhase::kUp);
  CHECK(changes[2].reason.empty());
  CHECK(app.connections == before + 5);
}

TEST_CASE("AnAppThatIsNotUpYetIsTriedEachInterval") {
  net::Loop loop;
  const auto address = nobody(loop);
  int changed = 0;
  Checker checker(loop, service_at(address, http_check()),
                  [&](HealthPhase, const std::string&) { ++changed; });
  run_until(loop, [&] { return !checker.last_failure().empty(); });
  CHECK(checker.phase() == HealthPhase::kStarting);
  App app(loop, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true);
  app.listener.reset();
  app.open(address);
  run_until(loop, [&] { return changed == 1; });
  CHECK(checker.phase() == HealthPhase::kUp);
}

TEST_CASE("ChecksBeginAnIntervalApartAndNeverTwoAtOnce") {
  net::Loop loop;
  App app(loop, "", false);
  auto check = http_check(milliseconds{60});
  check.interval = milliseconds{30};  // shorter than a probe takes
  Checker checker(loop, service_at(app.address, check), [](HealthPhase, const std::string&) {});
  const Instant began = loop.now();
  run_until(loop, [&] { return app.connections == 4; });
  CHECK(loop.now() - began >= 3 * milliseconds{59});
}

TEST_CASE("AReloadToNoCheckIsUpAtOnceAndBackChecksAgain") {
  net::Loop loop;
  App app(loop, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", true);
  std::vector<Change> changes;
  Checker checker(
      loop, service_at(app.address, http_check()),
      [&](HealthPhase phase, const std::string& reason) { changes.push_back({phase, reason}); });
  run_until(loop, [&] { return !checker.last_failure().empty(); });
  config::HealthCheck none;
  none.kind = config::HealthCheckKind::kNone;
  checker.reconfigure(none);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].phase == HealthPhase::kUp);
  CHECK(changes[0].reason.empty());
  CHECK(checker.last_failure().empty());
  checker.reconfigure(http_check());
  run_until(loop, [&] { return changes.size() == 2; });
  CHECK(changes[1].phase == HealthPhase::kUnhealthy);
}

}  // namespace ringside::health
