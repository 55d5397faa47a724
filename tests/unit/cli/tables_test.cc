#include <doctest/doctest.h>

#include <algorithm>

#include "sidecar/cli/tables.h"

namespace ringside::cli {

TEST_CASE("StatusIsOneLinePerFactThatIsThere") {
  const auto text = status_table(
      R"({"name":"i1","service":"","version":"0.1.0","uptime_seconds":61.26,"ready":true,"ring":"ok",
          "draining":false,"registration":{"instance":"i1","state":"registered","health":"up","detail":""}})");
  REQUIRE(text.has_value());
  CHECK(*text ==
        "name            i1\n"
        "service         -\n"
        "version         0.1.0\n"
        "uptime_seconds  61.3\n"
        "ready           yes\n"
        "ring            ok\n"
        "draining        no\n"
        "\n"
        "registration\n"
        "instance  i1\n"
        "state     registered\n"
        "health    up\n"
        "detail    -\n");
  CHECK(status_table(R"({"name":"a","registration":null,"fenced":"disk"})") ==
        "name    a\nfenced  disk\n");
}

TEST_CASE("ListsAreColumns") {
  CHECK(
      services_table(
          R"({"services":[{"service":"orders","endpoints":12,"up":3},{"service":"u","endpoints":1,"up":1}]})") ==
      "service  endpoints  up\n"
      "orders   12         3\n"
      "u        1          1\n");
  CHECK(services_table(R"({"services":[]})") == "service  endpoints  up\n");
  const auto endpoints = endpoints_table(
      R"({"endpoints":[{"instance":"i1","host":"h","port":80,"inbound_port":0,"state":"up","breaker":"closed","in_flight":2,"weight":100,"zone":""}]})");
  CHECK(endpoints ==
        "instance  host  port  inbound_port  state  breaker  in_flight  weight  zone\n"
        "i1        h     80    0             up     closed   2          100     -\n");
}

TEST_CASE("TheRingIsItsStateAndItsMembers") {
  CHECK(ring_table(R"({"name":"default","leader":null,"quorum":false,"waiting_for":"voter 2",
        "members":[{"id":1,"address":"a:1","voter":true,"role":"looking","connected":true,"zxid":"0x0","routed_zxid":null}]})") ==
        "name         default\n"
        "leader       -\n"
        "quorum       no\n"
        "waiting_for  voter 2\n"
        "\n"
        "id  address  voter  role     connected  zxid  routed_zxid\n"
        "1   a:1      yes    looking  yes        0x0   -\n");
}

TEST_CASE("ARecoveryIsShownWithItsWarningAndWithWhatIsLeftToDo") {
  const std::string plan =
      R"({"done":false,"id":1,"birth_id":"0a","last_zxid":"0x12","committed_zxid":"0x10",
      "uncommitted":2,"znodes":5,"sessions":1,"voters":["1@a:1"],"old_voters":["1@a:1","2@b:1\u001b"],
      "damage":"x"})";
  const std::string text = recovery_text(plan).value();
  CHECK(text.find("uncommitted     2\n") != std::string::npos);
  CHECK(text.find("damage          x\n") != std::string::npos);
  CHECK(text.find("2@b:1?") != std::string::npos);
  CHECK(text.find("is lost for good") != std::string::npos);
  std::string done = plan;
  done.replace(done.find("false"), 5, "true");
  CHECK(recovery_text(done)->find("began anew") != std::string::npos);
  CHECK_FALSE(recovery_unfinished(done));
  done.insert(done.size() - 1, R"(,"unfinished":"port taken")");
  CHECK(recovery_unfinished(done) == "port taken");
  for (const char* bad :
       {"", "[]", "{}", R"({"done":1})", R"({"done":[],"last_zxid":{},"voters":7})"}) {
    static_cast<void>(recovery_text(bad));
  }
  CHECK_FALSE(recovery_text("{}"));
}

TEST_CASE("WhatIsNotTheAdminApisIsNoTable") {
  for (const char* text : {"", "no", "[]", "null", "7", "\"x\"", "{", "{\"a\":"}) {
    CAPTURE(text);
    CHECK_FALSE(status_table(text).has_value());
    CHECK_FALSE(services_table(text).has_value());
    CHECK_FALSE(endpoints_table(text).has_value());
    CHECK_FALSE(ring_table(text).has_value());
  }
  CHECK_FALSE(services_table("{}").has_value());
  CHECK_FALSE(ring_table(R"({"name":"x"})").has_value());
  // Other types than expected are shown or left out, never thrown upon.
  CHECK(services_table(R"({"services":[1,"a",null,{"service":{"x":1},"endpoints":[2]}]})")
            .has_value());
  CHECK(services_table(R"({"services":7})").has_value());
  CHECK(status_table(R"({"name":{},"registration":"x"})").has_value());
}

TEST_CASE("AStrangersTextDoesNotCommandTheTerminal") {
  const auto text = endpoints_table(
      "{\"endpoints\":[{\"zone\":\"\\u001b[2J\\n\\u009b\",\"host\":{\"a\":\"\\u007f\"}}]}");
  REQUIRE(text.has_value());
  CHECK(text->find('\x1b') == std::string::npos);
  CHECK(text->find('\x7f') == std::string::npos);
  CHECK(text->find("\xc2\x9b") == std::string::npos);
  CHECK(std::count(text->begin(), text->end(), '\n') == 2);
}

}  // namespace ringside::cli
