#include <doctest/doctest.h>

#include "messages.h"
#include "sidecar/http/writer.h"

namespace ringside::http {
namespace {

std::string rewrite_request(const std::string& bytes, const RequestEdits& edits) {
  RequestParser parser{Limits{}};
  REQUIRE(parser.next({bytes.data(), bytes.size()}).kind == Step::Kind::kHead);
  std::string out;
  write_request_head(parser.head(), edits, out);
  return out;
}

std::string rewrite_response(const std::string& bytes, const ResponseEdits& edits,
                             Asked asked = {}) {
  ResponseParser parser{Limits{}};
  parser.expect(asked.method, asked.upgrade);
  REQUIRE(parser.next({bytes.data(), bytes.size()}).kind == Step::Kind::kHead);
  std::string out;
  write_response_head(parser.head(), edits, out);
  return out;
}

std::string get(const std::string& lines) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n";
}

Framing framing_for(const std::string& request, const std::string& response) {
  RequestParser requests{Limits{}};
  ResponseParser responses{Limits{}};
  responses.expect(Method::kGet, false);
  REQUIRE(requests.next({request.data(), request.size()}).kind == Step::Kind::kHead);
  REQUIRE(responses.next({response.data(), response.size()}).kind == Step::Kind::kHead);
  return response_framing(requests.head(), responses.head());
}

}  // namespace

TEST_CASE("OrderAndCaseOfFieldsStay") {
  const std::string bytes = get("x-B: 1\r\nAccept:  */* \r\nx-B: 2\r\n");
  CHECK(rewrite_request(bytes, {}) == get("x-B: 1\r\nAccept: */*\r\nx-B: 2\r\n"));
}

TEST_CASE("HopByHopFieldsGo") {
  const std::string bytes =
      get("Keep-Alive: timeout=5\r\nConnection: x-secret, keep-alive\r\nX-Secret: 1\r\n"
          "Proxy-Connection: keep-alive\r\nProxy-Authorization: b\r\nProxy-Authenticate: c\r\n"
          "Upgrade: h2c\r\nTE: gzip\r\nTrailer: X\r\nX-Kept: 1\r\n");
  CHECK(rewrite_request(bytes, {}) == get("X-Kept: 1\r\n"));
}

TEST_CASE("ConnectionNeverRemovesEndToEndFields") {
  const std::string bytes =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nX-Forwarded-For: b\r\n"
      "X-Forwarded-Proto: https\r\n"
      "Connection: host, content-length, x-forwarded-for, X-Forwarded-Proto\r\n\r\n";
  CHECK(rewrite_request(bytes, {.framing = Framing::sized(2)}) ==
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nX-Forwarded-For: b\r\n"
        "X-Forwarded-Proto: https\r\n\r\n");
}

TEST_CASE("TeKeepsOnlyTrailersAndIsListed") {
  const std::string bytes = get("TE: gzip;q=0.5, Trailers\r\nConnection: TE\r\n");
  CHECK(rewrite_request(bytes, {}) == get("TE: trailers\r\nConnection: TE\r\n"));
  CHECK(rewrite_request(bytes, {.connection = ConnectionOption::kClose}) ==
        get("TE: trailers\r\nConnection: close, TE\r\n"));
}

TEST_CASE("UpgradePassesOnlyWhenAsked") {
  const std::string bytes = get("Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n");
  CHECK(rewrite_request(bytes, {}) == get(""));
  CHECK(rewrite_request(bytes, {.connection = ConnectionOption::kUpgrade}) ==
        get("Upgrade: websocket\r\nConnection: upgrade\r\n"));
}

TEST_CASE("FramingIsWrittenInThePlaceOfWhatItReplaces") {
  const std::string sized = "POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 007\r\nX: y\r\n\r\n";
  CHECK(rewrite_request(sized, {.framing = Framing::sized(7)}) ==
        "POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 7\r\nX: y\r\n\r\n");
  CHECK(rewrite_request(sized, {.framing = Framing::chunked()}) ==
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n");
  CHECK(rewrite_request(sized, {.framing = Framing::none()}) ==
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n");
  CHECK(rewrite_request(get("X: y\r\n"), {.framing = Framing::sized(0)}) ==
        get("X: y\r\nContent-Length: 0\r\n"));
}

TEST_CASE("AnAnswerToHeadKeepsItsLength") {
  const std::string bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX: y\r\n\r\n";
  CHECK(rewrite_response(bytes, {.keep_framing_fields = true}, {Method::kHead, false}) == bytes);
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(rewrite_response(chunked, {.keep_framing_fields = true}, {Method::kHead, false}) ==
        chunked);
}

TEST_CASE("TargetAndHostAreReplaced") {
  const std::string bytes = "GET http://Pay:80?x=1 HTTP/1.0\r\nX: 1\r\nhost: Pay:80\r\n\r\n";
  CHECK(rewrite_request(bytes, {.target = {"/", "?x=1"}, .host = "pay"}) ==
        "GET /?x=1 HTTP/1.1\r\nX: 1\r\nhost: pay\r\n\r\n");
  CHECK(rewrite_request("GET /svc/pay/ HTTP/1.0\r\n\r\n", {.target = {"", "/"}, .host = "pay"}) ==
        "GET / HTTP/1.1\r\nHost: pay\r\n\r\n");
}

TEST_CASE("AListFieldGrowsAtItsLastInstance") {
  const std::array<AppendedField, 2> append = {
      AppendedField{FieldId::kXForwardedFor, "X-Forwarded-For", "10.0.0.1"},
      AppendedField{FieldId::kVia, "Via", "1.1 ringside"}};
  CHECK(rewrite_request(get("x-forwarded-for: a\r\nX-Forwarded-For: b\r\nX: y\r\n"),
                        {.append = append}) ==
        get("x-forwarded-for: a\r\nX-Forwarded-For: b, 10.0.0.1\r\nX: y\r\nVia: 1.1 ringside\r\n"));
  CHECK(rewrite_request(get("Via:\r\nX-Forwarded-For: b\r\n"),
                        {.drop = FieldSet{FieldId::kXForwardedFor}, .append = append}) ==
        get("Via: 1.1 ringside\r\nX-Forwarded-For: 10.0.0.1\r\n"));
}

TEST_CASE("OurOwnFieldsCannotBeForged") {
  const std::array<NewField, 1> add = {NewField{"x-ringside-service", "orders"}};
  CHECK(rewrite_request(get("X-RINGSIDE-Service: other\r\nx-ringside-unprocessed: 1\r\nX: y\r\n"),
                        {.drop = FieldSet{FieldId::kRingside}, .add = add}) ==
        get("X: y\r\nx-ringside-service: orders\r\n"));
}

TEST_CASE("StatusLinesKeepTheirPhrase") {
  CHECK(rewrite_response("HTTP/1.0 299 d\xc3\xa9j\xc3\xa0 vu\r\n\r\n", {}) ==
        "HTTP/1.1 299 d\xc3\xa9j\xc3\xa0 vu\r\n\r\n");
  CHECK(rewrite_response("HTTP/1.1 200\r\n\r\n", {.connection = ConnectionOption::kClose}) ==
        "HTTP/1.1 200 \r\nConnection: close\r\n\r\n");
}

TEST_CASE("BodiesAreFramedAsTheClientReadsThem") {
  const std::string old_client = "GET / HTTP/1.0\r\n\r\n";
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string until_close = "HTTP/1.0 200 OK\r\n\r\n";
  const std::string sized = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
  CHECK(framing_for(get(""), chunked) == Framing::chunked());
  CHECK(framing_for(get(""), until_close) == Framing::chunked());
  CHECK(framing_for(get(""), sized) == Framing::sized(3));
  CHECK(framing_for(old_client, chunked) == Framing::until_close());
  CHECK(framing_for(old_client, until_close) == Framing::until_close());
  CHECK(framing_for(old_client, sized) == Framing::sized(3));
}

TEST_CASE("FramingFieldsOfAnAnswerWithoutABodyStayOnlyWhereTheySpeakOfAGet") {
  const auto keeps = [](const std::string& request, const std::string& response) {
    RequestParser requests{Limits{}};
    REQUIRE(requests.next({request.data(), request.size()}).kind == Step::Kind::kHead);
    ResponseParser responses{Limits{}};
    responses.expect(requests.head().method, true);
    REQUIRE(responses.next({response.data(), response.size()}).kind == Step::Kind::kHead);
    return keeps_framing_fields(requests.head(), responses.head());
  };
  const std::string head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string old_head = "HEAD / HTTP/1.0\r\n\r\n";
  const std::string connect = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";
  const std::string sized = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(keeps(head, sized));
  CHECK(keeps(head, chunked));
  CHECK(keeps(old_head, sized));
  CHECK_FALSE(keeps(old_head, chunked));
  CHECK(keeps(get(""), "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n"));
  CHECK_FALSE(keeps(get(""), "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"));
  CHECK_FALSE(keeps(get(""), "HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\n"));
  CHECK_FALSE(keeps(connect, sized));
  CHECK_FALSE(keeps(get(""), sized));
}

TEST_CASE("ChunksAreWrittenAsTheyAreRead") {
  CHECK(ChunkHeader(1).view() == "1\r\n");
  CHECK(ChunkHeader(255).view() == "ff\r\n");
  CHECK(ChunkHeader(~std::uint64_t{0}).view() == "ffffffffffffffff\r\n");
  std::string bytes = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string& piece : {std::string("hello"), std::string(300, 'x')}) {
    bytes.append(ChunkHeader(piece.size()).view()).append(piece).append(kChunkEnd);
  }
  CHECK(run_requests(bytes + std::string(kLastChunk)).body == "hello" + std::string(300, 'x'));
  const std::array<Field, 1> trailers = {Field{"X-Sum", "1", FieldId::kOther}};
  write_last_chunk(trailers, bytes);
  CHECK(run_requests(bytes).events.ends_with("end [X-Sum: 1]\n"));
}

TEST_CASE("TheProxysOwnAnswerIsComplete") {
  const std::array<NewField, 2> fields = {NewField{"x-ringside-error", "no_endpoints"},
                                          NewField{"Content-Type", "text/plain"}};
  const OwnResponse response{
      .status = 503, .fields = fields, .body = "nobody\n", .connection = ConnectionOption::kClose};
  const std::string head =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 7\r\nConnection: close\r\n"
      "x-ringside-error: no_endpoints\r\nContent-Type: text/plain\r\n\r\n";
  std::string out;
  write_own_response(response, out);
  CHECK(out == head + "nobody\n");
  OwnResponse head_only = response;
  head_only.head_only = true;
  out.clear();
  write_own_response(head_only, out);
  CHECK(out == head);
}

TEST_CASE("OurAnswerToAConnectHasNoLength") {
  std::string out;
  const std::array fields{NewField{"x-request-id", "r1"}};
  write_connected(fields, out);
  CHECK(out == "HTTP/1.1 200 OK\r\nx-request-id: r1\r\n\r\n");
}

TEST_CASE("WhatIsWrittenIsReadTheSame") {
  for (const GoodRequest& message : good_requests()) {
    CAPTURE(message.rule);
    RequestParser parser{Limits{}};
    const Step step = parser.next({message.bytes.data(), message.bytes.size()});
    REQUIRE(step.kind == Step::Kind::kHead);
    const RequestHead& head = parser.head();
    std::string out;
    write_request_head(head, {.host = head.minor_version == 0 ? "a" : "", .framing = head.framing},
                       out);
    RequestParser again{Limits{}};
    const Step second = again.next({out.data(), out.size()});
    REQUIRE(second.kind == Step::Kind::kHead);
    CHECK(second.consumed == out.size());
    CHECK(again.head().framing == head.framing);
    CHECK(again.head().method == head.method);
    CHECK(again.head().target == head.target);
  }
}

TEST_CASE("EveryStatusOfTheProxyHasAPhrase") {
  for (const int status : {200, 400, 408, 421, 431, 502, 503, 504}) {
    CHECK_FALSE(status_phrase(status).empty());
  }
  CHECK(status_phrase(799).empty());
}

}  // namespace ringside::http
