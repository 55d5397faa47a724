#include "sidecar/http/upgrade.h"

#include <doctest/doctest.h>

#include <string>

#include "sidecar/http/parser.h"

namespace ringside::http {

namespace {

std::span<const char> bytes(const std::string& text) {
  return {text.data(), text.size()};
}

// A request with these field lines; kept by the parser, as its views are.
struct Asked {
  explicit Asked(const std::string& lines, const std::string& first = "GET / HTTP/1.1") {
    REQUIRE(parser.next(bytes(first + "\r\nHost: a\r\n" + lines + "\r\n")).kind ==
            Step::Kind::kHead);
  }
  [[nodiscard]] bool offers() const { return offers_upgrade(parser.head()); }
  [[nodiscard]] bool accepts(const std::string& lines) const {
    ResponseParser answer{Limits{}};
    answer.expect(Method::kGet, true);
    REQUIRE(answer.next(bytes("HTTP/1.1 101 Switching Protocols\r\n" + lines + "\r\n")).kind ==
            Step::Kind::kHead);
    return takes_up_offer(parser.head(), answer.head());
  }
  RequestParser parser{Limits{}};
};

std::string upgrade(const std::string& value) {
  return "Connection: upgrade\r\nUpgrade: " + value + "\r\n";
}

}  // namespace

TEST_CASE("AnOfferNamesProtocolsAndNeverHttp") {
  CHECK(Asked(upgrade("websocket")).offers());
  CHECK(Asked(upgrade("foo/2, , websocket")).offers());
  CHECK(Asked(upgrade("foo") + "Upgrade: bar\r\n").offers());
  CHECK(Asked(upgrade("x"), "POST / HTTP/1.1").offers());
  CHECK_FALSE(Asked("").offers());
  CHECK_FALSE(Asked("Upgrade: websocket\r\n").offers());
  CHECK_FALSE(Asked("Connection: upgrade\r\n").offers());
  CHECK_FALSE(Asked(upgrade("websocket"), "GET / HTTP/1.0").offers());
  for (const char* value : {"h2c", "H2C", "h2c-14", "HTTP/2.0", "websocket, h2c", "h2c, websocket",
                            "", ",", "/1", "foo/", "foo/1/2", "foo bar", "foo;q=1"}) {
    CAPTURE(value);
    CHECK_FALSE(Asked(upgrade(value)).offers());
  }
  CHECK_FALSE(Asked(upgrade("websocket") + "Upgrade: h2c\r\n").offers());
}

TEST_CASE("AConnectOffersNothingElse") {
  CHECK_FALSE(Asked(upgrade("websocket"), "CONNECT a:80 HTTP/1.1").offers());
}

TEST_CASE("A101TakesUpOnlyWhatWasOffered") {
  const Asked asked(upgrade("foo/2, websocket"));
  CHECK(asked.accepts(upgrade("websocket")));
  CHECK(asked.accepts(upgrade("WebSocket")));
  CHECK(asked.accepts(upgrade("foo/2")));
  CHECK(asked.accepts(upgrade("foo/2, websocket")));
  CHECK_FALSE(asked.accepts(upgrade("foo")));
  CHECK_FALSE(asked.accepts(upgrade("foo/1")));
  CHECK_FALSE(asked.accepts(upgrade("websocket, bar")));
  CHECK_FALSE(asked.accepts(upgrade("websocket") + "Upgrade: bar\r\n"));
  CHECK_FALSE(asked.accepts(upgrade("")));
  CHECK_FALSE(asked.accepts("Connection: upgrade\r\n"));
  CHECK_FALSE(asked.accepts("Upgrade: websocket\r\n"));
}

}  // namespace ringside::http
