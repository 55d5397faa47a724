// What a parser says of the connection, between messages, at its end, and after an error.
#include <doctest/doctest.h>

#include <cstdlib>
#include <new>

#include "messages.h"

namespace {

std::size_t allocations = 0;

}  // namespace

// Counts what the whole test program allocates.
void* operator new(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace ringside::http {
namespace {

std::span<const char> bytes(std::string_view text) {
  return {text.data(), text.size()};
}

RequestHead head_of(RequestParser& parser, std::string_view text) {
  const Step step = parser.next(bytes(text));
  REQUIRE(step.kind == Step::Kind::kHead);
  return parser.head();
}

bool request_keeps_alive(const std::string& version, const std::string& connection) {
  RequestParser parser{Limits{}};
  return head_of(parser,
                 "GET / " + version + "\r\nHost: a\r\nConnection: " + connection + "\r\n\r\n")
      .keep_alive;
}

bool response_keeps_alive(const std::string& text, Method method = Method::kGet) {
  ResponseParser parser{Limits{}};
  parser.expect(method, false);
  REQUIRE(parser.next(bytes(text)).kind == Step::Kind::kHead);
  return parser.head().keep_alive;
}

ParseError eof_after(std::string_view text) {
  const Transcript seen = run_responses(text, {{}}, Eof::kCloses);
  return seen.error;
}

}  // namespace

TEST_CASE("KeepAliveFollowsVersionAndConnection") {
  CHECK(request_keeps_alive("HTTP/1.1", ""));
  CHECK_FALSE(request_keeps_alive("HTTP/1.1", "x, Close"));
  CHECK_FALSE(request_keeps_alive("HTTP/1.0", ""));
  CHECK(request_keeps_alive("HTTP/1.0", "Keep-Alive"));
  CHECK_FALSE(request_keeps_alive("HTTP/1.0", "keep-alive, close"));
  CHECK(response_keeps_alive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  CHECK_FALSE(response_keeps_alive("HTTP/1.1 200 OK\r\n\r\n"));
  CHECK(response_keeps_alive("HTTP/1.1 200 OK\r\n\r\n", Method::kHead));
}

TEST_CASE("A204ThatAnnouncesABodyCostsTheConnection") {
  CHECK(response_keeps_alive("HTTP/1.1 204 No Content\r\n\r\n"));
  CHECK(response_keeps_alive("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"));
  CHECK_FALSE(response_keeps_alive("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"));
  CHECK_FALSE(response_keeps_alive("HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n"));
}

TEST_CASE("UpgradeNeedsBothFieldsAndHttp11") {
  const auto upgrade = [](const std::string& version, const std::string& lines) {
    RequestParser parser{Limits{}};
    return head_of(parser, "GET / " + version + "\r\nHost: a\r\n" + lines + "\r\n").upgrade;
  };
  CHECK(upgrade("HTTP/1.1", "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"));
  CHECK_FALSE(upgrade("HTTP/1.1", "Upgrade: websocket\r\n"));
  CHECK_FALSE(upgrade("HTTP/1.1", "Connection: upgrade\r\n"));
  CHECK_FALSE(upgrade("HTTP/1.0", "Connection: upgrade\r\nUpgrade: websocket\r\n"));
}

TEST_CASE("BytesAfterAMessageStayUnconsumed") {
  RequestParser parser{Limits{}};
  const std::string_view text =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhiGET / HTTP/1.1\r\n";
  Step step = parser.next(bytes(text));
  std::string_view rest = text.substr(step.consumed);
  CHECK(rest.starts_with("hiGET"));
  step = parser.next(bytes(rest));
  CHECK(step.kind == Step::Kind::kBody);
  CHECK(step.consumed == 2);
  step = parser.next(bytes(rest.substr(2)));
  CHECK(step.kind == Step::Kind::kEnd);
  CHECK(step.consumed == 0);
  CHECK(parser.idle());
  CHECK(parser.next({}).kind == Step::Kind::kNeedMore);
  CHECK(parser.head().method == Method::kPost);
}

TEST_CASE("TunnelBytesStayUnconsumed") {
  ResponseParser parser{Limits{}};
  parser.expect(Method::kConnect, false);
  const std::string_view text = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nraw";
  const Step step = parser.next(bytes(text));
  CHECK(parser.head().tunnel);
  CHECK(text.substr(step.consumed) == "raw");
  const Step end = parser.next(bytes("raw"));
  CHECK(end.kind == Step::Kind::kEnd);
  CHECK(end.consumed == 0);
}

TEST_CASE("AfterAnErrorNothingIsParsed") {
  RequestParser parser{Limits{}};
  CHECK(parser.next(bytes("BREW / HTTP/1.1\r\n\r\n")).kind == Step::Kind::kError);
  const Step step = parser.next(bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  CHECK(step.kind == Step::Kind::kError);
  CHECK(step.consumed == 0);
  CHECK(parser.error().reason == Reason::kBadMethod);
  CHECK(parser.on_eof().kind == Step::Kind::kError);
  CHECK(parser.error().reason == Reason::kBadMethod);
}

TEST_CASE("TheEndOfAConnectionIsJudgedByWhereItComes") {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  CHECK(eof_after("") == ParseError{Reason::kNoAnswer, Cause::kReset, 502});
  CHECK(eof_after("HTTP/1.1 2").reason == Reason::kTruncated);
  CHECK(eof_after(head + "Content-Length: 5\r\n\r\nhell").reason == Reason::kTruncated);
  CHECK(eof_after(head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").reason ==
        Reason::kTruncated);
  CHECK(eof_after("HTTP/1.1 100 Continue\r\n\r\n").reason == Reason::kTruncated);
  RequestParser between{Limits{}};
  between.on_eof();
  CHECK(between.error().reason == Reason::kNoAnswer);
  RequestParser inside{Limits{}};
  inside.next(bytes("GET"));
  CHECK_FALSE(inside.idle());
  inside.on_eof();
  CHECK(inside.error().reason == Reason::kTruncated);
}

TEST_CASE("NothingIsAllocatedPerMessageOnceWarm") {
  RequestParser requests{Limits{}};
  ResponseParser responses{Limits{}};
  const auto exchange = [&] {
    for (const std::string_view text :
         {"POST /a HTTP/1.1\r\nHost: a\r\nConnection: x\r\nTransfer-Encoding: chunked\r\n\r\n",
          "2;e\r\nhi\r\n0\r\nT: 1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"}) {
      std::string_view rest = text;
      for (Step step; (step = requests.next(bytes(rest))).kind != Step::Kind::kNeedMore;) {
        rest.remove_prefix(step.consumed);
        if (step.kind == Step::Kind::kError) {
          return false;
        }
      }
    }
    responses.expect(Method::kGet, false);
    return responses.next(bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).kind ==
               Step::Kind::kHead &&
           responses.next({}).kind == Step::Kind::kEnd;
  };
  REQUIRE(exchange());
  const std::size_t before = allocations;
  bool good = true;
  for (int i = 0; i < 100; ++i) {
    good = good && exchange();
  }
  const std::size_t after = allocations;
  CHECK(good);
  CHECK(after == before);
}

TEST_CASE("ReleasedMemoryComesBackWithTheNextMessage") {
  ResponseParser parser{Limits{}};
  for (int i = 0; i < 3; ++i) {
    parser.expect(Method::kGet, false);
    CHECK(parser.next(bytes("HTTP/1.1 204 No Content\r\nA: b\r\n\r\n")).kind == Step::Kind::kHead);
    CHECK(parser.head().fields.size() == 1);
    CHECK(parser.next({}).kind == Step::Kind::kEnd);
    parser.release_memory();
  }
}

}  // namespace ringside::http
