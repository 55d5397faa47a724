#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "sidecar/admin/json_views.h"
#include "sidecar/admin/metrics_view.h"
#include "tests/unit/admin/made_up.h"

namespace ringside::admin::test {

namespace {

constexpr Instant kNow{seconds{160}};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string metrics_of(const Snapshot& snapshot) {
  metrics::WorkerMetrics worker("worker-0");
  worker.upstream("orders").requests.add(200);
  const std::vector<const metrics::WorkerMetrics*> loops{&worker};
  return metrics_text(snapshot, loops, metrics::Histogram{});
}

}  // namespace

TEST_CASE("StatusHasTheFieldsOfTheProduct") {
  Snapshot snapshot = made_up();
  const json plain = parsed(status_json(snapshot, kNow));
  CHECK(plain["name"] == "10.0.0.5-8080-00000001");
  CHECK(plain["service"] == "orders");
  CHECK(plain["version"] == "0.1.0");
  CHECK(plain["uptime_seconds"] == 60.0);
  CHECK(plain["ready"] == true);
  CHECK(plain["ring"] == "ok");
  CHECK(plain["draining"] == false);
  CHECK(plain["registration"] == json{{"service", "orders"},
                                      {"instance", "10.0.0.5-8080-00000001"},
                                      {"state", "registered"},
                                      {"health", "up"},
                                      {"detail", ""}});
  for (const char* absent : {"not_ready", "waiting_for", "fenced", "config_problem"}) {
    CHECK_FALSE(plain.contains(absent));
  }
  snapshot.not_ready = "a";
  snapshot.ring.status.waiting_for = "b";
  snapshot.ring.fenced = "c";
  snapshot.config_problem = "d";
  snapshot.registration = {};
  const json troubled = parsed(status_json(snapshot, kNow));
  CHECK(troubled["not_ready"] == "a");
  CHECK(troubled["waiting_for"] == "b");
  CHECK(troubled["fenced"] == "c");
  CHECK(troubled["config_problem"] == "d");
  CHECK(troubled["registration"].is_null());
}

TEST_CASE("TheRingIsStaleWithoutAQuorumWhateverElseIsWrong") {
  Snapshot snapshot = made_up();
  snapshot.stale = true;
  CHECK(parsed(ready_json(snapshot))["ring"] == "stale");
  snapshot.ring.fenced = "its disk failed";
  CHECK(parsed(ready_json(snapshot))["ring"] == "stale");
  snapshot.stale = false;
  CHECK(parsed(ready_json(snapshot))["ring"] == "fenced");
  CHECK_FALSE(parsed(ready_json(snapshot)).contains("reason"));
  snapshot.ready = false;
  snapshot.not_ready = "no view";
  CHECK(parsed(ready_json(snapshot)) ==
        json{{"ready", false}, {"ring", "fenced"}, {"reason", "no view"}});
}

TEST_CASE("ServicesAreCountedByWhatIsUp") {
  CHECK(parsed(services_json(made_up())) ==
        json{{"services",
              {{{"service", "orders"}, {"endpoints", 2}, {"up", 1}},
               {{"service", "users"}, {"endpoints", 1}, {"up", 0}}}}});
  CHECK(parsed(services_json(Snapshot{})) == json{{"services", json::array()}});
}

TEST_CASE("AServiceShowsEachEndpoint") {
  const auto text = service_json(made_up(), "orders");
  REQUIRE(text.has_value());
  const json service = parsed(*text);
  CHECK(service["service"] == "orders");
  REQUIRE(service["endpoints"].size() == 2);
  CHECK(service["endpoints"][0] == json{{"instance", "i1"},
                                        {"host", "10.0.0.5"},
                                        {"port", 8080},
                                        {"inbound_port", 4143},
                                        {"state", "up"},
                                        {"breaker", "closed"},
                                        {"in_flight", 0},
                                        {"weight", 7},
                                        {"zone", "eu-1a"},
                                        {"metadata", {{"version", "v2"}}}});
  CHECK(service["endpoints"][1]["state"] == "draining");
  CHECK(service_json(made_up(), "ORDERS") == text);
  CHECK_FALSE(service_json(made_up(), "nobody").has_value());
  CHECK_FALSE(service_json(Snapshot{}, "orders").has_value());
}

TEST_CASE("TheBreakerAndTheCallsAreReadLive") {
  const Snapshot snapshot = made_up();
  const auto& upstream = *snapshot.table->find("orders");
  auto& host = *upstream.hosts()[0].host;
  host.enter();
  const auto& breaker = upstream.settings().circuit_breaker;
  for (int i = 0; i < breaker.consecutive_failures; ++i) {
    const auto stamp = host.admit(breaker, kNow);
    REQUIRE(stamp.has_value());
    host.record(breaker, *stamp, balancer::Outcome::kFailure, milliseconds{1}, kNow);
  }
  const json first = parsed(*service_json(snapshot, "orders"))["endpoints"][0];
  CHECK(first["breaker"] == "open");
  CHECK(first["in_flight"] == 1);
  const std::string text = metrics_of(snapshot);
  CHECK(
      has(text, R"(ringside_circuit_breaker_state{upstream="orders",endpoint="10.0.0.5:8080"} 2)"));
  CHECK(has(text, R"(ringside_circuit_breaker_transitions_total{upstream="orders",to="open"} 1)"));
}

TEST_CASE("RingHasTheFieldsOfTheProduct") {
  Snapshot snapshot = made_up();
  CHECK(parsed(ring_json(snapshot)) == json{{"name", "default"},
                                            {"birth_id", "0000000000000abc"},
                                            {"id", 1},
                                            {"role", "leading"},
                                            {"leader", 1},
                                            {"epoch", 3},
                                            {"applied_zxid", "0x30000000011"},
                                            {"routed_zxid", "0x30000000010"},
                                            {"quorum", true},
                                            {"view_age_seconds", 0.5},
                                            {"sessions", 4},
                                            {"znodes", 9},
                                            {"members",
                                             {{{"id", 1},
                                               {"address", "10.0.0.5:4150"},
                                               {"voter", true},
                                               {"role", "leading"},
                                               {"connected", true},
                                               {"zxid", "0x30000000011"},
                                               {"routed_zxid", "0x30000000010"}},
                                              {{"id", 2},
                                               {"address", ""},
                                               {"voter", true},
                                               {"role", "following"},
                                               {"connected", false},
                                               {"zxid", "0x30000000010"},
                                               {"routed_zxid", nullptr}}}}});
  snapshot.ring.status.routed_minimum = coord::Zxid(coord::Epoch{3}, 15);
  CHECK(parsed(ring_json(snapshot))["routed_minimum_zxid"] == "0x3000000000f");
  snapshot.ring.status.leader.reset();
  snapshot.ring.status.waiting_for = "voter 2";
  snapshot.ring.fenced = "its disk failed";
  const json looking = parsed(ring_json(snapshot));
  CHECK(looking["leader"].is_null());
  CHECK(looking["waiting_for"] == "voter 2");
  CHECK(looking["fenced"] == "its disk failed");
}

TEST_CASE("TextOfStrangersIsStillJson") {
  Snapshot snapshot = made_up();
  snapshot.ring.addresses = {{coord::MemberId{1}, "a\"b\xff\n"}};
  snapshot.registration.detail = "\xc3(";
  CHECK(
      parsed(ring_json(snapshot))["members"][0]["address"].get<std::string>().starts_with("a\"b"));
  CHECK(parsed(status_json(snapshot, kNow))["registration"].contains("detail"));
  CHECK(parsed(error_json("a\"b", "c\nd")) == json{{"error", "a\"b"}, {"hint", "c\nd"}});
}

TEST_CASE("MetricsTellOfRingEndpointsAndBuild") {
  const std::string text = metrics_of(made_up());
  for (const char* line :
       {R"(ringside_upstream_endpoints{upstream="orders",state="up"} 1)",
        R"(ringside_upstream_endpoints{upstream="orders",state="unhealthy"} 0)",
        R"(ringside_upstream_endpoints{upstream="orders",state="draining"} 1)",
        R"(ringside_circuit_breaker_state{upstream="orders",endpoint="10.0.0.5:8080"} 0)",
        R"(ringside_ring_role{role="leading"} 1)", R"(ringside_ring_role{role="looking"} 0)",
        "ringside_ring_epoch 3", "ringside_ring_applied_zxid 3298534883345",
        "ringside_ring_sessions 4", R"(ringside_build_info{version="0.1.0"} 1)",
        R"(ringside_upstream_requests_total{upstream="orders",code="200"} 1)"}) {
    CHECK_MESSAGE(has(text, line), line);
  }
}

TEST_CASE("TwoInstancesOfOneAddressAreOneSeries") {
  Snapshot snapshot = made_up();
  snapshot.table = table({endpoint("orders", "i1", "::1", balancer::EndpointState::kUp),
                          endpoint("orders", "i2", "::1", balancer::EndpointState::kUp)});
  const std::string text = metrics_of(snapshot);
  const std::string series =
      R"(ringside_circuit_breaker_state{upstream="orders",endpoint="[::1]:8080"})";
  const auto first = text.find(series);
  REQUIRE(first != std::string::npos);
  CHECK(text.find(series, first + 1) == std::string::npos);
  CHECK(has(text, R"(ringside_upstream_endpoints{upstream="orders",state="up"} 2)"));
}

TEST_CASE("PromtoolHasNothingToSay") {
  if (std::system("promtool --version > /dev/null 2>&1") != 0) {
    MESSAGE("promtool is not installed: not checked");
    return;
  }
  const auto file = std::filesystem::temp_directory_path() / "ringside-admin-metrics.txt";
  std::ofstream(file) << metrics_of(made_up());
  const std::string command = "promtool check metrics < " + file.string();
  CHECK(std::system(command.c_str()) == 0);
  std::filesystem::remove(file);
}

}  // namespace ringside::admin::test
