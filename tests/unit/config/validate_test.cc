// Checks across keys, and what a reload takes.
#include "config/validate.h"
#include "config/reload.h"
#include "tests/unit/config/reading.h"

namespace ringside::config {

namespace {

const std::string kService = "service: {name: orders, address: 127.0.0.1:8080}\n";
const std::string kVoters = "voters: [1@10.0.0.4:4150, 2@10.0.0.5:4150]";

Settings good(const std::string& yaml) {
  const ReadResult result = read_text(yaml);
  REQUIRE_MESSAGE(result, problems(result));
  return *result;
}

std::vector<std::string> keys(const std::vector<Change>& changes) {
  std::vector<std::string> out;
  for (const Change& change : changes) {
    out.push_back(change.key);
  }
  return out;
}

using Keys = std::vector<std::string>;

}  // namespace

TEST_CASE("WithoutARingBlockNothingListensBeyondLoopback") {
  CHECK(problems_of("proxy: {inbound: 0.0.0.0:4143}") ==
        "f.yaml:1:18: proxy.inbound: without a ring: block everything binds loopback; write "
        "127.0.0.1, or add a ring: "
        "block\n");
  CHECK_FALSE(read_text("admin: {listen: 0.0.0.0:4191}"));
  CHECK_FALSE(read_text("upstreams: {a: {listen: 10.0.0.1:1}}"));
  CHECK(problems_of("proxy: {inbound: \"[::1]:4143\"}") == "");
}

TEST_CASE("ARingOffLoopbackIsPlainTextOnlyWhenItSaysSo") {
  CHECK(problems_of(
            "ring: {listen: 127.0.0.1:1, voters: [1@127.0.0.1:1, 2@localhost:2, \"3@[::1]:3\"]}") ==
        "");
  CHECK_FALSE(read_text("ring:"));
  CHECK_FALSE(read_text("ring: {listen: 127.0.0.1:1, advertise: 10.0.0.5:1}"));
  CHECK_FALSE(read_text("ring: {listen: 127.0.0.1:1, voters: [1@ringside-b:1]}"));
  CHECK(problems_of("ring: {insecure: true}") == "");
  // One problem for one mistake.
  CHECK(problems_of("ring: {insecure: maybe}") ==
        "f.yaml:1:18: ring.insecure: expected true or false, found \"maybe\"\n");
}

TEST_CASE("IdAndAdvertiseAreOneVoter") {
  const auto ring = [](const std::string& rest) {
    return "ring: {insecure: true, " + kVoters + rest + "}";
  };
  CHECK(good(ring(", advertise: 10.0.0.5:4150")).ring.id == std::uint64_t{2});
  CHECK(good(ring(", id: 1")).ring.advertise == Address{"10.0.0.4", 4150});
  CHECK_FALSE(good(ring(", advertise: 10.0.0.9:4150")).ring.id);
  CHECK(problems_of(ring(", id: 3")) ==
        "f.yaml:1:72: ring.id: 3 is not among ring.voters (1, 2); leave ring.id out for an "
        "observer\n");
  CHECK(problems_of(ring(", id: 1, advertise: 10.0.0.5:4150")) ==
        "f.yaml:1:86: ring.advertise: is 10.0.0.5:4150, but voter 1 is 10.0.0.4:4150 in "
        "ring.voters\n");
  CHECK_FALSE(read_text("ring: {insecure: true, voters: [1@a:1, 2@a:1]}"));
}

TEST_CASE("OthersCanReachWhatIsAdvertised") {
  const auto ring = [](const std::string& rest) {
    return "ring: {insecure: true, " + kVoters + rest + "}\n";
  };
  CHECK_FALSE(read_text(ring(", advertise: 127.0.0.1:4150")));
  CHECK_FALSE(read_text(ring(", advertise: 0.0.0.0:4150")));
  CHECK_FALSE(read_text(ring("") + kService));
  CHECK(problems_of(ring(", advertise: 10.0.0.9:4150") + kService) == "");
  CHECK(problems_of(ring("") + "service: {name: a, address: 127.0.0.1:1, advertise: 10.0.0.9}") ==
        "");
  CHECK_FALSE(
      read_text(ring("") + "service: {name: a, address: 127.0.0.1:1, advertise: 127.0.0.1}"));
}

TEST_CASE("TimeoutsLeaveRoomForEachOther") {
  const std::string ring = "ring: {listen: 127.0.0.1:1, ";
  CHECK(problems_of(ring + "heartbeat_interval: 400ms}") ==
        "f.yaml:1:1: ring.election_timeout: 1s is out of range: at least 3 times "
        "ring.heartbeat_interval (400ms)\n");
  CHECK(problems_of(ring + "election_timeout: 300ms}") == "");
  CHECK(problems_of(ring + "election_timeout: 299ms}") != "");
  CHECK(problems_of(ring + "session_timeout: 2s}") == "");
  CHECK(problems_of(ring + "session_timeout: 1999ms}") != "");
  CHECK(problems_of("upstreams: {a: {circuit_breaker: {open_for: 2m}}}") ==
        "f.yaml:1:45: upstreams.a.circuit_breaker.open_for: open_for (2m) is longer than "
        "open_for_max (1m)\n");
}

TEST_CASE("NoTwoListenersShareAPort") {
  CHECK(problems_of("admin: {listen: 127.0.0.1:4140}") ==
        "f.yaml:1:17: admin.listen: listens on the same port as proxy.outbound (127.0.0.1:4140)\n");
  CHECK(problems_of("proxy: {outbound: localhost:4191}") ==
        "f.yaml:1:19: proxy.outbound: listens on the same port as admin.listen (127.0.0.1:4191)\n");
  CHECK_FALSE(read_text("ring: {insecure: true, listen: 0.0.0.0:4140}"));
  CHECK_FALSE(read_text("ring: {insecure: true, listen: \"[::]:4143\"}"));
  CHECK_FALSE(read_text("upstreams: {a: {listen: 127.0.0.1:9}, b: {listen: 127.0.0.1:9}}"));
  CHECK(problems_of("upstreams: {a: {listen: 127.0.0.1:9}, b: {listen: 127.0.0.2:9}}") == "");
  CHECK(problems_of("upstreams: {a: {listen: 127.0.0.1:0}, b: {listen: 127.0.0.1:0}}") == "");
}

TEST_CASE("TheAppIsNoneOfOurListeners") {
  CHECK(problems_of("service: {name: a, address: 127.0.0.1:4143}") ==
        "f.yaml:1:29: service.address: is where the local app listens, but proxy.inbound listens "
        "on 127.0.0.1:4143\n");
  CHECK_FALSE(
      read_text("ring: {insecure: true, advertise: 10.0.0.5:4150}\nservice: {name: a, address: "
                "10.0.0.5:4143}"));
  CHECK(problems_of("proxy: {inbound: off}\nservice: {name: a, address: 127.0.0.1:4143}") == "");
  CHECK_FALSE(read_text("upstreams: {a: {endpoints: [127.0.0.1:4140]}}"));
}

TEST_CASE("NamesAreOneLabelInLowerCase") {
  for (const char* name : {"a_b", "a.b", "-a", "a-", "localhost", "123", "\"\"", "ä"}) {
    CAPTURE(name);
    CHECK_FALSE(read_text("service: {name: " + std::string(name) + ", address: 127.0.0.1:1}"));
    CHECK_FALSE(read_text("upstreams: {" + std::string(name) + ": {}}"));
  }
  CHECK(problems_of("upstreams:\n  Payments: {}\n  payments: {}\n") ==
        "f.yaml:3:3: upstreams.payments: is written twice: names of services are equal in upper "
        "and lower case\n");
}

TEST_CASE("WhatBelongsToOneUpstreamIsNoDefault") {
  CHECK_FALSE(read_text("defaults: {listen: 127.0.0.1:9}"));
  CHECK_FALSE(read_text("defaults: {endpoints: [10.0.0.1:80]}"));
}

TEST_CASE("AReloadTellsLiveKeysFromThoseThatNeedARestart") {
  const Settings running = good(kService);
  const Settings fresh = good(
      "service: {name: orders, address: 127.0.0.1:9090, weight: 7, health_check: {http: /x}}\n"
      "proxy: {workers: 2, domains: []}\ndefaults: {balance: weighted}\nupstreams: {a: {}}\nlog: "
      "{level: debug}\n");
  const Changes changes = diff(running, fresh);
  CHECK(keys(changes.live) == Keys{"service.weight", "service.health_check", "proxy.domains",
                                   "log.level", "defaults.balance", "upstreams.a"});
  CHECK(keys(changes.restart) == Keys{"service.address", "proxy.workers"});
  CHECK(changes.live.front().sentence == "service.weight: 100 -> 7");
  CHECK(
      changes.restart.front().sentence ==
      "service.address: 127.0.0.1:8080 -> 127.0.0.1:9090 (needs a restart; unchanged until then)");
  Settings expected = fresh;
  expected.service->address = running.service->address;
  expected.proxy.workers = running.proxy.workers;
  CHECK(merge_live(running, fresh) == expected);
  CHECK(diff(merge_live(running, fresh), fresh).live.empty());
}

TEST_CASE("TheSameFileIsNoChange") {
  const Settings settings = good(file_text(RINGSIDE_CONFIG_TESTS "/full.yaml"));
  const Changes changes = diff(settings, settings);
  CHECK(changes.live.empty());
  CHECK(changes.restart.empty());
  CHECK(merge_live(settings, settings) == settings);
}

TEST_CASE("EveryKeyIsComparedOnReload") {
  const Settings full = good(file_text(RINGSIDE_CONFIG_TESTS "/full.yaml"));
  const Settings bare = good("service: {name: a, address: 127.0.0.1:1}");
  const Changes changes = diff(bare, full);
  // Every key of the full file but those that this version holds at one value, and tcp and http,
  // which health_check stands for.
  CHECK(changes.restart.size() == 19);
  CHECK(changes.live.size() == 36);
  CHECK(diff(merge_live(bare, full), full).live.empty());
  CHECK(keys(diff(merge_live(bare, full), full).restart) == keys(changes.restart));
}

TEST_CASE("AnUpstreamThatFollowsTheDefaultsIsNotListedAgain") {
  const Settings running = good("upstreams: {a: {}, b: {balance: round_robin}}");
  const Settings fresh =
      good("defaults: {balance: weighted}\nupstreams: {a: {}, b: {balance: least_connection}}");
  CHECK(keys(diff(running, fresh).live) == Keys{"defaults.balance", "upstreams.b.balance"});
}

TEST_CASE("ABlockThatComesOrGoesIsOneChange") {
  const Settings running = good(kService + "upstreams: {a: {}}");
  const Settings fresh = good("ring: {listen: 127.0.0.1:4150}\nproxy: {inbound: 127.0.0.1:4143}");
  CHECK(keys(diff(running, fresh).restart) == Keys{"service", "ring"});
  CHECK(keys(diff(running, fresh).live) == Keys{"upstreams.a"});
  CHECK(merge_live(running, fresh).service == running.service);
}

TEST_CASE("MergedSettingsAreCheckedAgain") {
  const Settings running = good("{}");
  const Settings fresh =
      good("proxy: {outbound: 127.0.0.1:5140}\nupstreams: {a: {listen: 127.0.0.1:4140}}");
  CHECK(check(fresh).empty());
  const std::vector<Problem> clash = check(merge_live(running, fresh));
  REQUIRE(clash.size() == 1);
  CHECK(clash.front().message ==
        "upstreams.a.listen: listens on the same port as proxy.outbound (127.0.0.1:4140)");
}

}  // namespace ringside::config
