#include <doctest/doctest.h>

#include "sidecar/logging/log.h"

namespace ringside::logging {

namespace {
constexpr std::int64_t kTime = 1'795'241'710'123;  // 2026-11-21T06:15:10.123Z
}

TEST_CASE("AJsonLineIsOneObjectWithItsFieldsInOrder") {
  CHECK(
      format_line(
          config::LogFormat::kJson, Level::kInfo, kTime, "ring has a leader",
          {{"leader", std::int64_t{2}}, {"name", std::string_view("a\"b")}, {"ok", true}}) ==
      R"({"time":"2026-11-21T06:15:10.123Z","level":"info","message":"ring has a leader","leader":2,"name":"a\"b","ok":true})");
}

TEST_CASE("ATextLineIsForPeople") {
  CHECK(format_line(config::LogFormat::kText, Level::kWarn, kTime, "slow",
                    {{"ms", std::int64_t{7}}, {"who", std::string_view("x")}}) ==
        "06:15:10.123 warn  slow  ms=7 who=x");
}

TEST_CASE("ACallerCannotForgeALine") {
  const auto text = format_line(config::LogFormat::kText, Level::kInfo, kTime, "a\nb",
                                {{"p", std::string_view("c\r\nd")}});
  CHECK(text.find('\n') == std::string::npos);
  const auto json = format_line(config::LogFormat::kJson, Level::kInfo, kTime, "a\nb",
                                {{"p", std::string_view("\xff\xfe")}});
  CHECK(json.find('\n') == std::string::npos);
}

TEST_CASE("AValueIsNotTakenForTwoFields") {
  const auto line = [](std::string_view value) {
    return format_line(config::LogFormat::kText, Level::kInfo, kTime, "m", {{"p", value}});
  };
  CHECK(line("x leader=2") == R"(06:15:10.123 info  m  p="x leader=2")");
  CHECK(line("a\"b") == R"(06:15:10.123 info  m  p="a\"b")");
  CHECK(line("") == R"(06:15:10.123 info  m  p="")");
  CHECK(line("plain") == "06:15:10.123 info  m  p=plain");
}

TEST_CASE("TextIsUtf8WithoutControlCharacters") {
  const auto line = [](std::string_view message) {
    return format_line(config::LogFormat::kText, Level::kInfo, kTime, message, {}).substr(19);
  };
  CHECK(line("caf\xc3\xa9") == "caf\xc3\xa9");
  CHECK(line("a\xff\xc3") == "a??");
  CHECK(line("a\x1b[2J") == "a?[2J");
  CHECK(line("a\xc2\x9b"
             "2J") == "a?2J");
}

}  // namespace ringside::logging
