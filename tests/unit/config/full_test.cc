// A file with every key, the files that people copy from, and the list of keys in README.md.
#include <map>

#include "config/schema.h"
#include "tests/unit/config/reading.h"

namespace ringside::config {

namespace {

Upstream expected_defaults() {
  Upstream upstream;
  upstream.balance = Balance::kWeighted;
  upstream.timeouts = {milliseconds(200), milliseconds(1000), milliseconds(0), milliseconds(60000)};
  upstream.retry = {3, {false, false, false, true, {500, 504}}};
  upstream.circuit_breaker = {0,
                              0.25,
                              1,
                              milliseconds(2000),
                              50,
                              milliseconds(20000),
                              milliseconds(1000),
                              milliseconds(10000),
                              2};
  upstream.limits = {10, 0, 30};
  upstream.panic_threshold = 0;
  return upstream;
}

Settings expected_full() {
  Settings expected;
  HealthCheck check{HealthCheckKind::kHttp, "/healthz", milliseconds(3000),
                    milliseconds(500),      4,          5};
  expected.service = Service{"orders",      {"127.0.0.1", 8080},
                             "app.example", 300,
                             "eu-1a",       {{"version", "v2"}, {"build", "17"}},
                             check};
  expected.ring.present = true;
  expected.ring.name = "test.ring";
  expected.ring.id = 2;
  expected.ring.listen = {"10.0.0.5", 4250};
  expected.ring.advertise = Address{"ringside-b", 4150};
  expected.ring.voters = {{1, {"10.0.0.4", 4150}}, {2, {"ringside-b", 4150}}};
  expected.ring.data_dir = "/srv/ringside";
  expected.ring.heartbeat_interval = milliseconds(50);
  expected.ring.election_timeout = milliseconds(400);
  expected.ring.session_timeout = milliseconds(4000);
  expected.ring.insecure = true;
  expected.proxy = {{"::1", 5140}, std::nullopt, 4, {"mesh.local", "ringside"}, 16 * 1024};
  expected.drain = {milliseconds(10000), milliseconds(0)};
  expected.defaults = expected_defaults();
  Upstream payments = expected_defaults();
  payments.listen = Address{"127.0.0.1", 9001};
  payments.balance = Balance::kRoundRobin;
  payments.endpoints = {{"10.1.1.1", 80}, {"fd00::1", 80}};
  payments.timeouts.per_try = milliseconds(2000);
  payments.circuit_breaker.open_for = milliseconds(3000);
  expected.upstreams = {{"payments", payments}, {"search", expected_defaults()}};
  expected.admin = {"localhost", 5191};
  expected.log = {LogLevel::kDebug, LogFormat::kText, true};
  return expected;
}

// The first three cells of each row whose first cell is a key in backticks: key -> {default,
// range}.
std::map<std::string, std::pair<std::string, std::string>> table_rows(const std::string& text) {
  std::map<std::string, std::pair<std::string, std::string>> rows;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    std::vector<std::string> cells;
    for (std::size_t bar = line.find('|'); bar != std::string::npos;) {
      const std::size_t next = line.find('|', bar + 1);
      if (next != std::string::npos) {
        std::string cell = line.substr(bar + 1, next - bar - 1);
        cell.erase(0, cell.find_first_not_of(' '));
        cell.erase(cell.find_last_not_of(' ') + 1);
        cells.push_back(cell);
      }
      bar = next;
    }
    if (cells.size() == 5 && cells[0].starts_with('`')) {
      CHECK_MESSAGE(rows.try_emplace(cells[0], cells[1], cells[2]).second, cells[0],
                    " is listed twice");
      CHECK_MESSAGE(!cells[4].empty(), cells[0], " has no meaning");
    }
  }
  return rows;
}

std::string in_backticks(const std::string& text) {
  return text.empty() ? "" : "`" + text + "`";
}

}  // namespace

TEST_CASE("AFileWithEveryKeyIsRead") {
  const ReadResult result = read_text(file_text(RINGSIDE_CONFIG_TESTS "/full.yaml"));
  CHECK(problems(result) == "");
  REQUIRE(result);
  CHECK(*result == expected_full());
}

TEST_CASE("TheFullFileHoldsEveryKey") {
  // The keys below health_check exclude `none` in its place, which OneKeyOfTheHealthCheckDecides
  // has.
  const std::string text = file_text(RINGSIDE_CONFIG_TESTS "/full.yaml");
  for (const KeyInfo& info : known_keys()) {
    CAPTURE(info.path);
    CHECK(text.find(info.path.substr(info.path.rfind('.') + 1) + ":") != std::string::npos);
  }
}

TEST_CASE("WithoutKeysTheDefaultsHoldOnLoopback") {
  Settings expected;
  expected.ring.listen.host = "127.0.0.1";
  expected.proxy.inbound->host = "127.0.0.1";
  const ReadResult result = read_text("{}");
  REQUIRE(result);
  CHECK(*result == expected);
  const ReadResult command_line = settings_from({}, environment({}));
  REQUIRE(command_line);
  CHECK(*command_line == expected);
}

TEST_CASE("WithARingBlockTheDefaultsListenEverywhere") {
  const ReadResult result = read_text("ring: {insecure: true}");
  REQUIRE(result);
  CHECK(result->ring.present);
  CHECK(result->ring.listen == Address{"0.0.0.0", 4150});
  CHECK(result->proxy.inbound == Address{"0.0.0.0", 4143});
  CHECK(result->proxy.outbound == Address{"127.0.0.1", 4140});
}

TEST_CASE("TheAnnotatedExampleIsValid") {
  const std::string text = file_text(RINGSIDE_SOURCE "/deploy/ringside.yaml");
  const ReadResult result = read_settings(as_bytes(text), "ringside.yaml", environment({}), {});
  CHECK(problems(result) == "");
  REQUIRE(result);
  CHECK(result->ring.id == std::uint64_t{1});
  CHECK(result->defaults == Upstream{});
  for (const char* section : {"\nservice:", "\nring:", "\nregistry:", "\nproxy:", "\ndrain:",
                              "\ndefaults:", "\nupstreams:", "\nadmin:", "\nlog:"}) {
    CAPTURE(section);
    CHECK(text.find(section) != std::string::npos);
  }
}

TEST_CASE("TheReadmeListsEveryKeyWithItsDefaultAndRange") {
  auto rows = table_rows(file_text(RINGSIDE_SOURCE "/config/README.md"));
  for (const KeyInfo& info : known_keys()) {
    CAPTURE(info.path);
    const auto row = rows.find(in_backticks(info.path));
    REQUIRE(row != rows.end());
    CHECK(row->second.first == in_backticks(info.fallback));
    CHECK(row->second.second == info.range);
    rows.erase(row);
  }
  for (const auto& [key, row] : rows) {
    FAIL_CHECK("README.md lists ", key, ", which is no key");
  }
}

}  // namespace ringside::config
