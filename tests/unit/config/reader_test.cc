// Rules of reading: types, suggestions, merging, the environment and --set.
#include "tests/unit/config/reading.h"

namespace ringside::config {

namespace {

std::string set_problems(const std::string& key, const std::string& value) {
  return problems(read_text("{}", {{key, value}}));
}

Settings set(const std::string& key, const std::string& value, const std::string& yaml = "{}") {
  const ReadResult result = read_text(yaml, {{key, value}});
  REQUIRE_MESSAGE(result, problems(result));
  return *result;
}

std::string line_of(const std::string& yaml) {
  const ReadResult result = read_text(yaml);
  REQUIRE_FALSE(result);
  return result.error().front().to_string();
}

}  // namespace

TEST_CASE("AllProblemsComeAtOnceInTheOrderOfTheFile") {
  CHECK(problems_of("upstreams:\n  payments: {balance: best}\n  a_b: {}\nproxy:\n  workers: 0\n  "
                    "inbond: off\n"
                    "service:\n  address: here\n") ==
        "f.yaml:2:23: upstreams.payments.balance: unknown policy \"best\"; known: round_robin, "
        "weighted, "
        "least_connection; not in this version: peak_ewma, random, consistent_hash, maglev, "
        "load_aware\n"
        "f.yaml:3:3: upstreams.\"a_b\": the name of an upstream is one DNS label (1 to 63 letters, "
        "digits and inner "
        "hyphens)\n"
        "f.yaml:5:12: proxy.workers: \"0\" is out of range: 1..256\n"
        "f.yaml:6:3: proxy.inbond: unknown key; did you mean inbound?\n"
        "f.yaml:7:1: service.name: is needed: the name that callers use\n"
        "f.yaml:8:12: service.address: expected HOST:PORT such as 10.0.0.5:8080 (the port is "
        "missing), found "
        "\"here\"\n");
}

TEST_CASE("AnUnknownKeyNamesTheNearestOrItsPlaceOrWhatIsKnown") {
  CHECK(problems_of("prox: {}") == "f.yaml:1:1: prox: unknown key; did you mean proxy?\n");
  CHECK(problems_of("heartbeat_interval: 1s") ==
        "f.yaml:1:1: heartbeat_interval: unknown key; it belongs at ring.heartbeat_interval\n");
  CHECK(problems_of("drain: {whatever: 1s}") ==
        "f.yaml:1:9: drain.whatever: unknown key; known here: timeout, settle\n");
  CHECK(problems_of("defaults: {retry: {atempts: 1}}") ==
        "f.yaml:1:20: defaults.retry.atempts: unknown key; did you mean attempts?\n");
  CHECK(problems_of("proxy.outbound: 127.0.0.1:1") ==
        "f.yaml:1:1: proxy.outbound: unknown key; known here: service, defaults, upstreams, ring, "
        "registry, proxy, "
        "drain, admin, log\n");
}

TEST_CASE("AValueHasTheTypeOfItsKey") {
  for (const char* yaml : {"proxy: {workers: \"2\"}",
                           "proxy: {workers: 2.0}",
                           "proxy: {workers: 0x2}",
                           "proxy: {workers: 02}",
                           "proxy: {workers: [2]}",
                           "proxy: {workers: }",
                           "proxy: {workers: {a: b}}",
                           "proxy: off",
                           "proxy: [a]",
                           "ring: {insecure: yes, listen: 127.0.0.1:1}",
                           "ring: {insecure: \"true\"}",
                           "log: {level: loud}",
                           "log: {level: [info]}",
                           "log: {access: maybe}",
                           "drain: {timeout: 30}",
                           "drain: {timeout: half}",
                           "drain: {timeout: }",
                           "proxy: {header_limit: 64000}",
                           "proxy: {domains: ringside}",
                           "proxy: {domains: [a b]}",
                           "defaults: {retry: {on: [500, 500]}}",
                           "defaults: {retry: {on: [404]}}",
                           "defaults: {retry: {on: [rest]}}",
                           "defaults: {circuit_breaker: {failure_ratio: nan}}",
                           "defaults: {circuit_breaker: {failure_ratio: inf}}",
                           "defaults: {circuit_breaker: {failure_ratio: 1.01}}",
                           "service: {name: a, address: 127.0.0.1:1, metadata: [a]}",
                           "service: {name: a, address: 127.0.0.1:1, metadata: {a: [b]}}",
                           "service: {name: a, address: 0.0.0.0:1}",
                           "service: {name: a, address: 127.0.0.1:0}",
                           "admin: {listen: example:80}",
                           "ring: {voters: [10.0.0.1:1], insecure: true}",
                           "ring: {voters: [0@10.0.0.1:1], insecure: true}",
                           "ring: {voters: [256@10.0.0.1:1], insecure: true}",
                           "ring: {voters: [1@0.0.0.0:1], insecure: true}",
                           "ring: {name: ../x, insecure: true}",
                           "proxy: {workers: 99999999999999999999}",
                           "proxy: {workers: -1}",
                           "hello",
                           "[a]"}) {
    CAPTURE(yaml);
    CHECK_FALSE(read_text(yaml));
  }
  CHECK(
      line_of("proxy: {workers: \"2\"}") ==
      "f.yaml:1:18: proxy.workers: expected a whole number in 1..256, found the quoted text \"2\"");
  CHECK(line_of("proxy: {workers: 99999999999999999999}") ==
        "f.yaml:1:18: proxy.workers: \"99999999999999999999\" is out of range: 1..256");
  CHECK(line_of("proxy:\n  workers:\n  inbound: off\n") ==
        "f.yaml:2:3: proxy.workers: expected a whole number in 1..256, found nothing");
  CHECK(line_of("drain: {timeout: 30}") ==
        "f.yaml:1:18: drain.timeout: expected a duration such as 100ms, 2s, 5m or 1h in 0s..1h, "
        "found \"30\"");
  // Tools that write YAML put on and off in quotes, so that nobody takes them for true and false.
  const ReadResult words = read_text("log: {access: 'on'}\nproxy: {inbound: 'off'}");
  REQUIRE(words);
  CHECK(words->log.access);
  CHECK_FALSE(words->proxy.inbound);
  CHECK(problems_of("log: {access: \"off\"}") == "");
  CHECK(line_of("log: {access: 'true'}") ==
        "f.yaml:1:15: log.access: expected on or off, found the quoted text \"true\"");
  CHECK(line_of("ring: {insecure: 'on'}")
            .starts_with("f.yaml:1:18: ring.insecure: expected true or false"));
  CHECK(line_of("drain: {timeout: 2h}") ==
        "f.yaml:1:18: drain.timeout: \"2h\" is out of range: 0s..1h");
}

TEST_CASE("OneKeyOfTheHealthCheckDecides") {
  const auto kind = [](const std::string& check) {
    const ReadResult result =
        read_text("service: {name: a, address: 127.0.0.1:1, health_check: " + check + "}");
    return result ? std::optional(result->service->health_check.kind) : std::nullopt;
  };
  CHECK(kind("") == HealthCheckKind::kTcp);
  CHECK(kind("none") == HealthCheckKind::kNone);
  CHECK(kind("{tcp: false}") == HealthCheckKind::kNone);
  CHECK(kind("{tcp: true}") == HealthCheckKind::kTcp);
  CHECK(kind("{http: /x}") == HealthCheckKind::kHttp);
  CHECK(kind("{tcp: false, http: /x}") == HealthCheckKind::kHttp);
  CHECK_FALSE(kind("{tcp: true, http: /x}"));
  CHECK_FALSE(kind("{http: /x, tcp: true}"));
  CHECK_FALSE(kind("{http: x}"));
  CHECK_FALSE(kind("tcp"));
}

TEST_CASE("WhatIsNotInThisVersionIsRefusedUnlessNeutral") {
  for (const char* yaml :
       {"ring: {insecure: true, tls: {cert: a, key: b, ca: c}}",
        "ring: {insecure: true, client_listen: 127.0.0.1:4181}", "registry: {engine: zookeeper}",
        "registry: {engine: {etcd: {endpoints: [a]}}}", "proxy: {external: pass}",
        "defaults: {balance: peak_ewma}", "defaults: {balance: random}",
        "defaults: {balance: consistent_hash}", "defaults: {balance: maglev}",
        "defaults: {balance: load_aware}", "defaults: {retry: {budget: {ratio: 0.2}}}",
        "defaults: {slow_start: 1s}", "defaults: {load_metric: kv}"}) {
    CAPTURE(yaml);
    const ReadResult result = read_text(yaml);
    REQUIRE_FALSE(result);
    CHECK(result.error().size() == 1);
    CHECK(result.error().front().message.find("not in this version") != std::string::npos);
  }
  CHECK(problems_of("ring: {listen: 127.0.0.1:1, client_listen: false}\nregistry: {engine: "
                    "ring}\nproxy: {external: refuse}\n"
                    "defaults: {protocol: http, slow_start: 0s, load_metric: \"\", "
                    "retry: {budget: }}") == "");
}

TEST_CASE("TcpGoesWithAPortOfOneUpstream") {
  const ReadResult result =
      read_text("upstreams: {cache: {protocol: tcp, listen: 127.0.0.1:9001}}");
  REQUIRE(result);
  CHECK(result->upstreams.at("cache").protocol == Protocol::kTcp);
  CHECK(problems_of("upstreams: {cache: {protocol: tcp}}") ==
        "f.yaml:1:31: upstreams.cache.protocol: tcp needs a port of its own: add listen, e.g. "
        "listen: 127.0.0.1:9001\n");
  CHECK(problems_of("defaults: {protocol: tcp}\nupstreams: {cache: {}}") ==
        "f.yaml:1:22: defaults.protocol: tcp goes with a port of one upstream: write it as "
        "upstreams.NAME.protocol, beside upstreams.NAME.listen\n");
  CHECK(problems_of("upstreams: {cache: {protocol: udp}}") ==
        "f.yaml:1:31: upstreams.cache.protocol: unknown protocol \"udp\"; did you mean tcp? "
        "known: http, tcp\n");
  // One problem for one mistake.
  const ReadResult bad_port = read_text("upstreams: {cache: {protocol: tcp, listen: nowhere}}");
  REQUIRE_FALSE(bad_port);
  CHECK(bad_port.error().size() == 1);
}

TEST_CASE("WhatYamlAllowsAndAConfigurationDoesNotIsRefused") {
  CHECK(line_of("log: {level: !!str info}") ==
        "f.yaml:1:14: log.level: a tag (!) is not accepted: types come from the keys");
  CHECK(line_of("? [a]\n: b") == "f.yaml:1:3: a key must be one line of text, then a colon");
  CHECK(line_of("${A}: b") == "f.yaml:1:1: ${A}: ${…} is expanded in values only, not in a key");
  CHECK(line_of("proxy:\n  domains: [b") ==
        "f.yaml:2:1: not valid YAML: end of sequence flow not found; a [ or { before here is not "
        "closed, or a comma is missing");
  CHECK(line_of("# only\n# comments\n") ==
        "f.yaml:1:1: the file is empty: write at least one key, e.g. service:");
  CHECK(line_of("a: \xff") ==
        "f.yaml:1:4: byte 0xff is not valid UTF-8: the file must be UTF-8 text");
  CHECK(line_of(std::string(100'000, '[')).ends_with("nested deeper than 16 levels"));
  CHECK(line_of("proxy: {}\n...\nb: 1") ==
        "f.yaml:3:1: a second document, or a key indented less than the first one: one file holds "
        "one configuration");
  CHECK(line_of(" log: {level: warn}\nadmin: {}")
            .starts_with("f.yaml:2:1: a second document, or a key indented less"));
  CHECK(problems_of("%YAML 1.2\n---\nproxy: {}\n...\n") == "");
  CHECK(problems_of("\xef\xbb\xbfproxy: {workers: 2}\r\nlog: {level: warn}\r\n") == "");
}

// yaml-cpp takes the end of the last line for the closing quote, and all keys below for its text.
TEST_CASE("AQuoteThatIsNotClosedIsRefusedAndNamed") {
  const std::string service = "service:\n  name: orders\n  address: 127.0.0.1:80\n";
  const std::string said =
      "f.yaml:4:3: service.zone: not valid YAML: illegal EOF in scalar; a quote (\" or ') is not "
      "closed";
  for (const std::string end :
       {"", "\n", "\n\n", "\r\n", " \n  \n", "\n# end\n", "\nlog: {level: debug}\n"}) {
    CAPTURE(end);
    CHECK(line_of(service + "  zone: \"eu-1a" + end) == said);
    CHECK(line_of(service + "  zone: 'eu-1a" + end) == said);
  }
  CHECK(line_of("\"log") ==
        "f.yaml:1:5: not valid YAML: illegal EOF in scalar; a quote (\" or ') is not closed");
  CHECK(problems_of(service + "  zone: \"eu\n    -1a\"\n") == "");
  CHECK(problems_of(service + "  zone: >-\n    eu\n") == "");
  CHECK(line_of(service + "  zone: |\n    eu\n")
            .starts_with("f.yaml:4:9: service.zone: expected one line"));
}

TEST_CASE("TooManyProblemsAreCounted") {
  std::string yaml;
  for (int i = 0; i < 1000; ++i) {
    yaml += "k" + std::to_string(i) + ": 1\n";
  }
  const ReadResult result = read_text(yaml);
  REQUIRE_FALSE(result);
  CHECK(result.error().size() == 201);
  CHECK(result.error().back().message == "and 800 more problems");
}

TEST_CASE("TheEnvironmentFillsValuesOfAnyType") {
  const EnvLookup env =
      environment({{"PORT", "5140"}, {"WORKERS", "3"}, {"EVIL", "{listen: 0.0.0.0:1}"}});
  const ReadResult result = read_text(
      "proxy: {outbound: \"127.0.0.1:${PORT}\", workers: \"${WORKERS}\"}\n"
      "admin:\n  listen: 127.0.0.1:${ADMIN:-5191}\nring:\n  insecure: true\n  data_dir: "
      "${NONE:-}\n",
      {}, env);
  REQUIRE_MESSAGE(result, problems(result));
  CHECK(result->proxy.outbound.port == 5140);
  CHECK(result->proxy.workers == 3);
  CHECK(result->admin.port == 5191);
  CHECK(problems(read_text("admin: \"${EVIL}\"", {}, env)) ==
        "f.yaml:1:8: admin: expected a block of keys (listen), found \"{listen: 0.0.0.0:1}\"\n");
  CHECK(problems(read_text("proxy:\n  workers: ${NONE}\n", {}, env)) ==
        "f.yaml:2:12: proxy.workers: ${NONE} is not set in the environment; set it, or write a "
        "default: ${NONE:-…}\n");
  CHECK(problems(read_text("proxy: {workers: ${WORKERS}}", {}, env)).find("in quotes") !=
        std::string::npos);
}

TEST_CASE("AnUpstreamIsTheDefaultsWithItsOwnKeys") {
  const ReadResult result = read_text(
      "upstreams: {a: {timeouts: {idle: 1s}}}\ndefaults: {balance: weighted, timeouts: {connect: "
      "7s}}\n");
  REQUIRE(result);
  const Upstream& upstream = result->upstream("a");
  CHECK(upstream.balance == Balance::kWeighted);
  CHECK(upstream.timeouts.connect == milliseconds(7000));
  CHECK(upstream.timeouts.idle == milliseconds(1000));
  CHECK(upstream.timeouts.response == milliseconds(30000));
  CHECK(&result->upstream("b") == &result->defaults);
}

TEST_CASE("SetReplacesOneKeyOrABlock") {
  CHECK(set("proxy.outbound", "127.0.0.1:5140").proxy.outbound.port == 5140);
  CHECK(set("proxy.outbound", "[::1]:5140").proxy.outbound == Address{"::1", 5140});
  CHECK(set("proxy.domains", "[a, b]").proxy.domains == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(set("proxy.inbound", "off").proxy.inbound);
  CHECK(set("upstreams.payments.balance", "round_robin",
            "upstreams: {Payments: {retry: {attempts: 5}}}")
            .upstream("payments")
            .retry.attempts == 5);
  CHECK(
      set("upstreams.a.listen", "", "upstreams: {a: {listen: 127.0.0.1:9}}").upstream("a").listen ==
      std::nullopt);
  const std::string service =
      "service: {name: a, address: 127.0.0.1:1, zone: x, health_check: none}";
  CHECK(set("service.zone", "", service).service->zone.empty());
  CHECK(set("service.metadata.example.com/build", "v=1", service)
            .service->metadata.at("example.com/build") == "v=1");
  CHECK(set("service.health_check.http", "/x", service).service->health_check.kind ==
        HealthCheckKind::kHttp);
  CHECK(set("ring", "{listen: 127.0.0.1:7}").ring.listen.port == 7);
}

TEST_CASE("ProblemsOfSetNameTheOption") {
  CHECK(set_problems("proxy.workers", "many") ==
        "--set proxy.workers: expected a whole number in 1..256, found \"many\"\n");
  CHECK(set_problems("proxy.wokers", "1") ==
        "--set proxy.wokers: unknown key; did you mean workers?\n");
  CHECK(set_problems("proxy..workers", "1") ==
        "--set proxy..workers: a key is written with dots between its parts: proxy.outbound\n");
  CHECK_FALSE(read_text("{}", {{"proxy.domains", "[a"}}));
  CHECK_FALSE(read_text("{}", {{"a\nb", "c"}}));
  CHECK_FALSE(parse_override("proxy.workers"));
  CHECK_FALSE(parse_override("=1"));
  CHECK(parse_override("a.b=c=d")->value == "c=d");
}

TEST_CASE("WithoutAFileTheCommandLineSaysItAll") {
  const ReadResult result = settings_from({"Orders=127.0.0.1:8080",
                                           "1@127.0.0.1:4150,2@127.0.0.1:4250",
                                           {{"ring.listen", "127.0.0.1:4250"}, {"ring.id", "2"}}},
                                          environment({}));
  REQUIRE_MESSAGE(result, problems(result));
  CHECK(result->service->name == "orders");
  CHECK(result->service->address.port == 8080);
  CHECK(result->ring.voters.size() == 2);
  CHECK(result->ring.advertise == Address{"127.0.0.1", 4250});
  CHECK(problems(settings_from({"orders", std::nullopt, {}}, environment({}))) ==
        "--service: service.address: expected NAME=HOST:PORT such as orders=127.0.0.1:8080\n");
  CHECK(problems(settings_from(
            {std::nullopt, "1@127.0.0.1:1,1@127.0.0.1:2", {{"ring.listen", "127.0.0.1:1"}}},
            environment({}))) ==
        "--voters: ring.voters: duplicate voter id 1: 127.0.0.1:1 has it\n");
  CHECK(problems(settings_from({std::nullopt, "1@10.0.0.5:4150", {}}, environment({})))
            .starts_with("--voters: ring.listen: ring.tls is required off loopback; "));
}

}  // namespace ringside::config
