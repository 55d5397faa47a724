#include <httplib.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

#include "sidecar/admin/admin_server.h"
#include "sidecar/admin/bounded_server.h"
#include "tests/unit/admin/made_up.h"

namespace ringside::admin::test {

namespace {

using Clock = std::chrono::steady_clock;

// Answers at once, from the asking thread; holds what `hold` says back.
struct FakeControl : Control {
  Status ask(ZnodeCall call, std::function<void(ZnodeAnswer)> answered) override {
    const std::lock_guard lock(mutex);
    if (refuse) {
      return fail(ErrorCode::kTooLarge, "full");
    }
    last = call;
    if (hold) {
      held.push_back(std::move(answered));
      return {};
    }
    if (call.method == ZnodeMethod::kGet) {
      ZnodeRead read;
      read.path = call.path;
      read.data = "data";
      answered(read);
    } else if (call.method == ZnodeMethod::kDelete) {
      answered(Trouble{TroubleWord::kNotEmpty, "children"});
    } else {
      answered(ZnodeWritten{call.path, call.method == ZnodeMethod::kPost, std::nullopt, {}});
    }
    return {};
  }
  Status recover(bool go, std::function<void(RecoveryAnswer)> answered) override {
    RecoveryView view;
    view.done = go;
    answered(view);
    return {};
  }
  Status drain(bool on, std::function<void(DrainAnswer)> answered) override {
    if (stopping && !on) {
      answered(Trouble{TroubleWord::kStopping, "stops"});
      return {};
    }
    DrainView view;
    view.state = on ? DrainState::kDraining : DrainState::kServing;
    answered(view);
    return {};
  }
  std::size_t waiting() {
    const std::lock_guard lock(mutex);
    return held.size();
  }

  std::mutex mutex;
  bool hold = false;
  bool refuse = false;
  std::atomic<bool> stopping{false};
  ZnodeCall last;
  std::vector<std::function<void(ZnodeAnswer)>> held;
};

struct Fixture {
  Fixture() {
    set(made_up());
    REQUIRE(server.start().has_value());
  }
  void set(Snapshot snapshot) {
    published.set(std::make_shared<const Snapshot>(std::move(snapshot)));
  }
  httplib::Result get(const std::string& path) {
    httplib::Client client("127.0.0.1", server.port());
    return client.Get(path.c_str());
  }

  Published published;
  metrics::WorkerMetrics loop{"control"};
  metrics::Histogram commits;
  std::atomic<std::int64_t> now_s{160};
  FakeControl control;
  AdminServer server{
      {"127.0.0.1", 0},
      {&published, {&loop}, &commits, [this] { return Instant{seconds{now_s}}; }, &control}};
};

// A plain connection; recv gives up after 20 s.
struct Plain {
  explicit Plain(std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{20, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  }
  Plain(const Plain&) = delete;
  ~Plain() { ::close(fd); }
  bool send(const std::string& bytes) const {
    return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  // Until the other side ends it.
  [[nodiscard]] std::string rest() const {
    std::string all;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) {
      all.append(buffer, static_cast<std::size_t>(got));
    }
    return all;
  }
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

}  // namespace

TEST_CASE("HealthzIsAboutTheControlLoopAlone") {
  Fixture f;
  Snapshot unready = made_up();
  unready.ready = false;
  f.set(unready);
  CHECK(f.get("/healthz")->status == 200);
  f.now_s = 160 + AdminServer::kLoopSilent.count() + 1;
  CHECK(f.get("/healthz")->status == 503);
}

TEST_CASE("ReadyzSays200Or503WithTheReason") {
  Fixture f;
  Snapshot snapshot = made_up();
  snapshot.stale = true;
  f.set(snapshot);
  const auto stale = f.get("/readyz");
  CHECK(stale->status == 200);
  CHECK(parsed(stale->body)["ring"] == "stale");
  snapshot.ready = false;
  snapshot.not_ready = "no view";
  f.set(snapshot);
  const auto unready = f.get("/readyz");
  CHECK(unready->status == 503);
  CHECK(parsed(unready->body)["reason"] == "no view");
}

TEST_CASE("ADrainIsBegunByPostUndoneByDeleteAndShownByGet") {
  Fixture f;
  httplib::Client client("127.0.0.1", f.server.port());
  const auto begun = client.Post("/v1/drain");
  CHECK(begun->status == 200);
  CHECK(parsed(begun->body)["state"] == "draining");
  const auto undone = client.Delete("/v1/drain");
  CHECK(undone->status == 200);
  CHECK(parsed(undone->body)["state"] == "serving");
  Snapshot snapshot = made_up();
  snapshot.drain.state = DrainState::kDrained;
  f.set(snapshot);
  CHECK(parsed(f.get("/v1/drain")->body)["state"] == "drained");
  CHECK(parsed(f.get("/v1/status")->body)["draining"] == true);
}

TEST_CASE("ADrainIsChangedByNoForeignPageAndTakesNoArguments") {
  Fixture f;
  httplib::Client client("127.0.0.1", f.server.port());
  CHECK(client.Post("/v1/drain", {{"Host", "evil.example"}}, "", "text/plain")->status == 403);
  CHECK(client.Delete("/v1/drain", {{"Origin", "http://evil.example"}})->status == 403);
  CHECK(client.Post("/v1/drain?undo=true")->status == 400);
  CHECK(client.Post("/v1/drain", "{}", "application/json")->status == 400);
  const auto put = client.Put("/v1/drain");
  CHECK(put->status == 405);
  CHECK(put->get_header_value("Allow") == "GET, HEAD, POST, DELETE");
  f.control.stopping = true;
  const auto late = client.Delete("/v1/drain");
  CHECK(late->status == 409);
  CHECK(parsed(late->body)["error"] == "stopping");
}

TEST_CASE("EveryPageOfTheProductIsThere") {
  Fixture f;
  for (const char* path :
       {"/v1/status", "/v1/services", "/v1/services/orders", "/v1/services/ORDERS", "/v1/ring"}) {
    CAPTURE(path);
    const auto answer = f.get(path);
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(answer->get_header_value("Content-Type") == "application/json");
    CHECK(parsed(answer->body).is_object());
  }
  CHECK(f.get("/")->body.find("/v1/status") != std::string::npos);
  const auto metrics = f.get("/metrics");
  CHECK(metrics->get_header_value("Content-Type").starts_with("text/plain; version=0.0.4"));
  CHECK(metrics->body.find("ringside_build_info") != std::string::npos);
}

TEST_CASE("WhatIsNotThereIs404WithAHint") {
  Fixture f;
  for (const char* path :
       {"/nothing", "/v1/services/nobody", "/v1/services/a/b", "/v1/services/"}) {
    CAPTURE(path);
    const auto answer = f.get(path);
    REQUIRE(answer);
    CHECK(answer->status == 404);
    CHECK(parsed(answer->body)["hint"].get<std::string>().size() > 5);
  }
}

TEST_CASE("LaterFeaturesAreRefusedAs501") {
  Fixture f;
  httplib::Client client("127.0.0.1", f.server.port());
  const auto refused = [](const httplib::Result& answer) {
    REQUIRE(answer);
    CHECK(answer->status == 501);
    CHECK(parsed(answer->body)["error"].get<std::string>().find("not in this version") !=
          std::string::npos);
  };
  refused(client.Get("/v1/config/orders"));
  refused(client.Get("/v1/explain/abc"));
  refused(client.Get("/debug/loops"));
}

TEST_CASE("ARequestWithoutALengthHasNoBody") {  // as `curl -X POST` sends it
  Fixture f;
  const Plain plain(f.server.port());
  const auto before = std::chrono::steady_clock::now();
  REQUIRE(plain.send("POST /v1/drain HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  CHECK(plain.rest().starts_with("HTTP/1.1 200"));
  CHECK(std::chrono::steady_clock::now() - before < BoundedServer::kClientTime / 2);
}

TEST_CASE("ZnodeRequestsReachTheLoopAndItsAnswersGoBack") {
  Fixture f;
  httplib::Client client("127.0.0.1", f.server.port());
  const auto read = client.Get("/v1/znode/a/b");
  REQUIRE(read);
  CHECK(read->status == 200);
  CHECK(parsed(read->body)["data"] == "data");
  CHECK(client.Get("/v1/znode/a?raw")->body == "data");
  CHECK(client.Get("/v1/znode")->status == 200);
  CHECK(f.control.last.path == "/");
  const std::string big(BoundedServer::kMaxLargeBodyBytes, 'x');
  CHECK(client.Put("/v1/znode/a", big, "application/x-www-form-urlencoded")->status == 200);
  CHECK(f.control.last.data.size() == big.size());
  const std::string form = "--b\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--b--\r\n";
  CHECK(client.Put("/v1/znode/a", form, "multipart/form-data; boundary=b")->status == 200);
  CHECK(as_text(f.control.last.data) == form);
  CHECK(client.Post("/v1/znode/a?sequential", "", "text/plain")->status == 201);
  const auto refused = client.Delete("/v1/znode/a");
  CHECK(refused->status == 409);
  CHECK(parsed(refused->body)["error"] == "not_empty");
  CHECK(client.Patch("/v1/znode/a", "x", "text/plain")->status == 405);
  const auto too_long = client.Put("/v1/znode/a", big + "x", "text/plain");
  REQUIRE(too_long);
  CHECK(too_long->status == 413);
  CHECK(parsed(too_long->body)["error"] == "too_large");
  httplib::Headers coded{{"Content-Encoding", "gzip"}};
  CHECK(client.Put("/v1/znode/a", coded, "x", "text/plain")->status == 415);
  f.control.refuse = true;
  CHECK(parsed(client.Get("/v1/znode/a")->body)["error"] == "busy");
}

TEST_CASE("ARecoveryIsLookedAtByGetAndDoneByPost") {
  Fixture f;
  httplib::Client client("127.0.0.1", f.server.port());
  CHECK(parsed(client.Get("/v1/ring/recover")->body)["done"] == false);
  CHECK(parsed(client.Post("/v1/ring/recover", "", "text/plain")->body)["done"] == true);
  CHECK(client.Post("/v1/ring/recover?yes", "", "text/plain")->status == 400);
  CHECK(client.Post("/v1/ring/recover", {{"Host", "evil.example"}}, "", "text/plain")->status ==
        403);
}

TEST_CASE("AChangeOfAForeignPageIsRefused") {
  Fixture f;
  httplib::Client client("127.0.0.1", f.server.port());
  const auto status = [&](httplib::Headers headers) {
    const auto answer = client.Put("/v1/znode/a", headers, "x", "text/plain");
    REQUIRE(answer);
    return answer->status;
  };
  CHECK(status({{"Host", "localhost:4191"}}) == 200);
  CHECK(status({{"Host", "evil.example"}}) == 403);
  CHECK(status({{"Host", "localhost"}, {"Origin", "http://evil.example"}}) == 403);
  CHECK(client.Get("/v1/znode/a", {{"Host", "evil.example"}})->status == 200);
}

TEST_CASE("WhoWaitsForTheLoopLeavesThreadsForTheRest") {
  auto f = std::make_unique<Fixture>();
  f->control.hold = true;
  std::vector<std::jthread> clients;
  std::atomic<int> answered{0};
  std::atomic<int> busy{0};
  const std::size_t more = BoundedServer::kWaitingForLoop + 3;
  for (std::size_t i = 0; i < more; ++i) {
    clients.emplace_back([&] {
      httplib::Client client("127.0.0.1", f->server.port());
      client.set_read_timeout(seconds{30});
      const auto answer = client.Get("/v1/znode/a");
      answered += answer && answer->status == 200 ? 1 : 0;
      busy += answer && answer->status == 503 ? 1 : 0;
    });
  }
  while (f->control.waiting() < BoundedServer::kWaitingForLoop || busy < 3) {
    std::this_thread::sleep_for(milliseconds{5});
  }
  CHECK(f->get("/healthz")->status == 200);
  // Longer than a client's own time: the wait is not counted.
  std::this_thread::sleep_for(BoundedServer::kClientTime + milliseconds{200});
  {
    const std::lock_guard lock(f->control.mutex);
    for (const auto& answer : f->control.held) {
      answer(ZnodeRead{});
    }
  }
  clients.clear();
  CHECK(answered.load() == static_cast<int>(BoundedServer::kWaitingForLoop));
  CHECK(busy.load() == 3);
}

TEST_CASE("StopEndsTheWaitsForTheLoop") {
  auto f = std::make_unique<Fixture>();
  f->control.hold = true;
  const std::uint16_t port = f->server.port();
  std::jthread client([port] { httplib::Client("127.0.0.1", port).Get("/v1/znode/a"); });
  while (f->control.waiting() == 0) {
    std::this_thread::sleep_for(milliseconds{5});
  }
  const auto began = Clock::now();
  f->server.stop();
  CHECK(Clock::now() - began < seconds{2});
  f->control.held.front()(ZnodeRead{});  // the answer comes when nobody waits any more
  client.join();
  f.reset();
}

TEST_CASE("AnAnswerIsTheLastOfItsConnection") {
  Fixture f;
  const Plain client(f.server.port());
  REQUIRE(client.send(
      "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"));
  const std::string text = client.rest();
  CHECK(text.starts_with("HTTP/1.1 200"));
  CHECK(text.find("Connection: close") != std::string::npos);
  CHECK(text.find("HTTP/1.1", 8) == std::string::npos);
}

TEST_CASE("WhatIsTooLongIsRefused") {
  Fixture f;
  const struct {
    std::string what;
    std::string request;
    const char* status;
  } rows[] = {
      {"a line", "GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 4"},
      {"a field", "GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(9'000, 'a') + "\r\n\r\n",
       "HTTP/1.1 4"},
      {"a body",
       "POST /v1/drain HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n" +
           std::string(70'000, 'a'),
       "HTTP/1.1 413"},
      {"a body said to be",
       "POST /v1/drain HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", "HTTP/1.1 413"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const Plain client(f.server.port());
    REQUIRE(client.send(row.request));
    const std::string answer = client.rest();
    CAPTURE(answer);
    CHECK(answer.starts_with(row.status));
  }
  std::string fields = "GET / HTTP/1.1\r\n";
  for (std::size_t i = 0; fields.size() < 4 * BoundedServer::kMaxRequestBytes; ++i) {
    fields += "A" + std::to_string(i) + ": " + std::string(1'000, 'a') + "\r\n";
  }
  const Plain endless(f.server.port());
  static_cast<void>(endless.send(fields));
  CHECK_FALSE(endless.rest().starts_with("HTTP/1.1 200"));
  CHECK(f.get("/healthz")->status == 200);
}

TEST_CASE("SlowClientsAreDroppedAndKeepNobodyOutForLong") {
  Fixture f;
  std::vector<std::unique_ptr<Plain>> silent;
  for (std::size_t i = 0; i < BoundedServer::kThreads - 1; ++i) {
    silent.push_back(std::make_unique<Plain>(f.server.port()));
  }
  const auto began = Clock::now();
  CHECK(f.get("/healthz")->status == 200);
  CHECK(Clock::now() - began < BoundedServer::kClientTime);
  // One that sends a byte now and then gains no time by it.
  const Plain trickle(f.server.port());
  std::jthread drip([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && trickle.send("G")) {
      std::this_thread::sleep_for(milliseconds{200});
    }
  });
  static_cast<void>(trickle.rest());
  const auto took = Clock::now() - began;
  CHECK(took >= BoundedServer::kClientTime - seconds{1});
  CHECK(took < 3 * BoundedServer::kClientTime);
  for (const auto& client : silent) {
    CHECK(client->rest().find("200 OK") == std::string::npos);
  }
}

TEST_CASE("AFloodOfSilentClientsIsClosedSoonAndTheNewestIsServed") {
  Fixture f;
  std::vector<std::unique_ptr<Plain>> silent;
  const std::size_t room = BoundedServer::kThreads + BoundedServer::kMaxWaiting;
  for (std::size_t i = 0; i < room + 20; ++i) {
    silent.push_back(std::make_unique<Plain>(f.server.port()));
  }
  const auto began = Clock::now();
  CHECK(f.get("/healthz")->status == 200);
  CHECK(Clock::now() - began < BoundedServer::kClientTime);
  for (const auto& client : silent) {
    CHECK(client->rest().find("200 OK") == std::string::npos);
  }
  CHECK(Clock::now() - began < 3 * BoundedServer::kClientTime);
}

TEST_CASE("StopDoesNotWaitForSlowClients") {
  for (int i = 0; i < 20; ++i) {
    const Fixture stopped_at_once;
  }
  auto f = std::make_unique<Fixture>();
  const Plain silent(f->server.port());
  CHECK(f->get("/healthz")->status == 200);
  const auto began = Clock::now();
  f.reset();
  CHECK(Clock::now() - began < BoundedServer::kClientTime / 2);
}

TEST_CASE("APortInUseIsAnErrorThatNamesIt") {
  Fixture f;
  AdminServer second({"127.0.0.1", f.server.port()},
                     {&f.published, {}, &f.commits, [] { return Instant{}; }, &f.control});
  const Status started = second.start();
  REQUIRE_FALSE(started.has_value());
  CHECK(started.error().message.find("127.0.0.1:" + std::to_string(f.server.port())) !=
        std::string::npos);
  CHECK(started.error().message.find("in use") != std::string::npos);
}

}  // namespace ringside::admin::test
