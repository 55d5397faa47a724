// The small parts: addresses, durations, sizes, nearest words, ${VAR}, text.
#include <doctest/doctest.h>

#include "config/address.h"
#include "config/base/nearest.h"
#include "config/duration.h"
#include "config/expand_env.h"
#include "config/utf8.h"

namespace ringside::config {

namespace {

std::string address(std::string_view text) {
  const Result<Address> read = parse_address(text);
  return read ? read->to_string() : "refused: " + read.error().message;
}

std::string expanded(std::string_view text) {
  const EnvLookup env = [](std::string_view name) -> std::optional<std::string> {
    if (name == "HOST") return "10.0.0.5";
    if (name == "EMPTY") return "";
    if (name == "NESTED") return "${HOST}: {a: b}";
    if (name == "LINES") return "a\nb";
    if (name == "LONG") return std::string(kMaxExpandedBytes, 'x');
    return std::nullopt;
  };
  const Result<std::string> value = expand_env(text, env);
  return value ? *value : "refused: " + value.error().message;
}

}  // namespace

TEST_CASE("AnAddressIsAHostAndAPort") {
  CHECK(address("127.0.0.1:4140") == "127.0.0.1:4140");
  CHECK(address("Ringside-B.example:80") == "ringside-b.example:80");
  CHECK(address("[::1]:80") == "[::1]:80");
  CHECK(address("[2001:DB8:0:0:1:0:0:1]:80") == "[2001:db8::1:0:0:1]:80");
  CHECK(address("[::ffff:10.0.0.1]:1") == "[::ffff:a00:1]:1");
  CHECK(address("[1:2:3:4:5:6:7:8]:1") == "[1:2:3:4:5:6:7:8]:1");
  CHECK(address("[::]:0") == "[::]:0");
  CHECK(address("[1::]:0") == "[1::]:0");
  CHECK(address("localhost:65535") == "localhost:65535");
}

TEST_CASE("WhatIsNoAddressIsRefused") {
  for (const char* text : {"",
                           ":",
                           ":80",
                           "host",
                           "host:",
                           "host:65536",
                           "host:-1",
                           "host:080",
                           "host:8x",
                           "host: 80",
                           "host:80 ",
                           "10.0.0:80",
                           "10.0.0.256:80",
                           "10.0.0.01:80",
                           "1:80",
                           "a..b:80",
                           ".a:80",
                           "a.:80",
                           "-a:80",
                           "a-:80",
                           "a-.b:80",
                           "a b:80",
                           "::1:80",
                           "[::1]",
                           "[::1:80",
                           "[]:80",
                           "[1]:80",
                           "[:1]:80",
                           "[1:]:80",
                           "[1::2::3]:80",
                           "[1:2:3:4:5:6:7]:80",
                           "[1:2:3:4:5:6:7:8:9]:80",
                           "[1:2:3:4:5:6:7::8]:80",
                           "[12345::]:80",
                           "[g::]:80",
                           "[1.2.3.4]:80",
                           "[1.2.3.4::]:80",
                           "[fe80::1%eth0]:80",
                           "http://a:80",
                           "1@a:80"}) {
    CAPTURE(text);
    CHECK(address(text).starts_with("refused: "));
  }
  CHECK(address(std::string(254, 'a') + ":80").starts_with("refused: "));
  CHECK(address(std::string(64, 'a') + ":80").starts_with("refused: "));
  CHECK(address("::1:80") == "refused: an IPv6 host needs brackets: [::1]:80");
}

TEST_CASE("OnlyLoopbackIsLoopback") {
  for (const char* text :
       {"127.0.0.1:1", "127.255.0.9:1", "[::1]:1", "localhost:1", "LOCALHOST:1"}) {
    CAPTURE(text);
    CHECK(is_loopback(*parse_address(text)));
  }
  for (const char* text :
       {"0.0.0.0:1", "[::]:1", "128.0.0.1:1", "10.0.0.1:1", "localhost.example:1"}) {
    CAPTURE(text);
    CHECK_FALSE(is_loopback(*parse_address(text)));
  }
}

TEST_CASE("DurationsAndSizesHaveAUnit") {
  CHECK(parse_duration("100ms") == milliseconds(100));
  CHECK(parse_duration("2s") == milliseconds(2000));
  CHECK(parse_duration("5m") == milliseconds(300000));
  CHECK(parse_duration("1h") == milliseconds(3600000));
  CHECK(parse_duration("0s") == milliseconds(0));
  for (const char* text :
       {"", "5", "s", "-1s", "1.5s", "1s ", " 1s", "1S", "1d", "1m30s", "9999999999s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
  CHECK(show_duration(milliseconds(1500)) == "1500ms");
  CHECK(show_duration(milliseconds(90000)) == "90s");
  CHECK(show_duration(milliseconds(7200000)) == "2h");
  CHECK(show_duration(milliseconds(0)) == "0s");
  CHECK(parse_size("64KiB") == std::uint64_t{65536});
  CHECK(parse_size("1MiB") == std::uint64_t{1048576});
  CHECK(parse_size("512B") == std::uint64_t{512});
  for (const char* text : {"", "64", "64KB", "64kib", "KiB", "1GiB"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text));
  }
  CHECK(show_size(65536) == "64KiB");
  CHECK(show_size(1000) == "1000B");
}

TEST_CASE("EditDistanceCountsSwapsAndIgnoresCase") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("outbound", "outbund") == 1);
  CHECK(edit_distance("ab", "ba") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("Payments", "payments") == 0);
  CHECK(edit_distance(std::string(65, 'a'), "a") == kMaxWordBytes + 1);
}

TEST_CASE("NearestIsNearOrNothing") {
  const std::string_view names[] = {"payments", "orders", "order-history", "db"};
  CHECK(nearest("payment", names) == "payments");
  CHECK(nearest("ordesr", names) == "orders");
  CHECK(nearest("db", names) == "db");
  CHECK(nearest("xy", names).empty());
  CHECK(nearest("inventory", names).empty());
  CHECK(nearest(std::string(1000, 'p'), names).empty());
  CHECK(nearest("order", {}).empty());
  const std::string_view close[] = {"cart-c", "cart-b", "carts"};
  CHECK(nearest_words("cart", close, 2) == std::vector<std::string>{"carts", "cart-c"});
}

TEST_CASE("TheEnvironmentIsExpandedOnceAsData") {
  CHECK(expanded("${HOST}:80") == "10.0.0.5:80");
  CHECK(expanded("a${NONE:-b}c${HOST:-d}") == "abc10.0.0.5");
  CHECK(expanded("${EMPTY}") == "");
  CHECK(expanded("${EMPTY:-x}") == "x");
  CHECK(expanded("${NONE:-}") == "");
  CHECK(expanded("${NONE:-a:-b}") == "a:-b");
  CHECK(expanded("${NESTED}") == "${HOST}: {a: b}");
  CHECK(expanded("$${HOST} $HOST $") == "${HOST} $HOST $");
}

TEST_CASE("WhatCannotBeExpandedIsRefused") {
  CHECK(expanded("${NONE}") ==
        "refused: ${NONE} is not set in the environment; set it, or write a default: ${NONE:-…}");
  CHECK(expanded("a ${HOST") == "refused: a ${ has no closing }");
  CHECK(expanded("${LINES}") == "refused: the value of ${LINES} is not one line of UTF-8 text");
  CHECK(expanded("${NONE:-${HOST}}") ==
        "refused: the default of ${NONE} holds another ${…}, which is not expanded");
  for (const char* text : {"${}", "${1A}", "${A B}", "${A-b}", "${A:+b}", "${:-b}"}) {
    CAPTURE(text);
    CHECK(expanded(text).starts_with("refused: "));
  }
  CHECK(expanded("${LONG}") == std::string(kMaxExpandedBytes, 'x'));
  CHECK(expanded("${LONG}x").starts_with("refused: "));
}

TEST_CASE("OnlyValidUtf8IsText") {
  for (const char* good :
       {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x99\x82", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf"}) {
    CHECK(is_one_line_of_text(good));
  }
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xc3\x28", "\x1b", "\x7f", "\t", "\n"}) {
    CAPTURE(quoted(bad));
    CHECK_FALSE(is_one_line_of_text(bad));
  }
  CHECK(quoted("a\x1b\xff\xc3\xa9") == "\"a\\x1b\\xff\xc3\xa9\"");
  CHECK(quoted(std::string(100, 'a')).size() < 70);
}

}  // namespace ringside::config
