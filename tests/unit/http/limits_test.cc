#include <doctest/doctest.h>

#include <fmt/format.h>

#include "messages.h"

namespace ringside::http {
namespace {

std::string request_of(std::size_t bytes) {
  const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  return begin + std::string(bytes - begin.size() - 4, 'x') + "\r\n\r\n";
}

std::string numbered_fields(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) {
    lines += fmt::format("X-{}: y\r\n", i);
  }
  return lines;
}

}  // namespace

TEST_CASE("AHeadOfExactlyTheLimitPassesAndOneByteMoreIs431") {
  const Limits limits{.head_bytes = 1024};
  CHECK(run_requests(request_of(1024), {}, limits).messages == 1);
  for (const auto& cuts : {std::vector<std::size_t>{}, every_byte(1025)}) {
    const Transcript over = run_requests(request_of(1025), cuts, limits);
    CHECK(over.error == ParseError{Reason::kHeadTooLarge, Cause::kHeadersTooLarge, 431});
  }
}

TEST_CASE("TheDefaultLimitTakes64KiBOfHeadBothWays") {
  CHECK(run_requests(request_of(64 * 1024)).messages == 1);
  const std::string begin = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ";
  const std::string response = begin + std::string(64 * 1024 - begin.size() - 4, 'x') + "\r\n\r\n";
  CHECK(run_responses(response).messages == 1);
  const Transcript over = run_responses("HTTP/1.1 200 OK\r\nX: " + std::string(64 * 1024, 'x'));
  CHECK(over.error == ParseError{Reason::kHeadTooLarge, Cause::kBadResponse, 502});
}

TEST_CASE("TheNumberOfFieldsIsBounded") {
  const auto request = [](int fields) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + numbered_fields(fields - 1) + "\r\n";
  };
  CHECK(run_requests(request(256)).messages == 1);
  CHECK(run_requests(request(257)).error ==
        ParseError{Reason::kTooManyFields, Cause::kHeadersTooLarge, 431});
}

TEST_CASE("TheTargetIsBounded") {
  const Limits limits{.target_bytes = 100};
  const auto request = [](std::size_t target) {
    return "GET /" + std::string(target - 1, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  CHECK(run_requests(request(100), {}, limits).messages == 1);
  CHECK(run_requests(request(101), {}, limits).error ==
        ParseError{Reason::kTargetTooLong, Cause::kHeadersTooLarge, 431});
}

TEST_CASE("AChunkLineIsBoundedHoweverCut") {
  const Limits limits{.chunk_line_bytes = 32};
  const auto request = [](const std::string& line) {
    return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + line +
           "\r\nhello\r\n0\r\n\r\n";
  };
  CHECK(run_requests(request("5;" + std::string(28, 'x')), {}, limits).messages == 1);
  for (const std::string& line :
       {"5;" + std::string(29, 'x'), std::string(40, '0') + "5", "5;" + std::string(40, ' '),
        std::string(40, '0') + "g", "5;" + std::string(200, 'x')}) {
    CAPTURE(line);
    const std::string bytes = request(line);
    CHECK(run_requests(bytes, {}, limits).error.reason == Reason::kChunkTooLong);
    CHECK(run_requests(bytes, every_byte(bytes.size()), limits).error.reason ==
          Reason::kChunkTooLong);
  }
}

TEST_CASE("TrailersAreBounded") {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  CHECK(run_requests(head + numbered_fields(256) + "\r\n").messages == 1);
  CHECK(run_requests(head + numbered_fields(257) + "\r\n").error.reason ==
        Reason::kTrailerTooLarge);
  CHECK(run_requests(head + "X: " + std::string(64 * 1024, 'x')).error ==
        ParseError{Reason::kTrailerTooLarge, Cause::kHeadersTooLarge, 431});
}

TEST_CASE("InterimResponsesAreBounded") {
  std::string bytes;
  for (int i = 0; i < 32; ++i) {
    bytes += "HTTP/1.1 103 Early Hints\r\n\r\n";
  }
  const std::string answer = "HTTP/1.1 204 No Content\r\n\r\n";
  CHECK(run_responses(bytes + answer).messages == 1);
  CHECK(run_responses(bytes + "HTTP/1.1 103 Early Hints\r\n\r\n" + answer).error.reason ==
        Reason::kTooManyInterim);
}

TEST_CASE("ConnectionElementsAreBounded") {
  std::string list = "a";
  for (int i = 1; i < 32; ++i) {
    list += ",a";
  }
  const auto request = [](const std::string& value) {
    return "GET / HTTP/1.1\r\nHost: a\r\nConnection: " + value + "\r\n\r\n";
  };
  CHECK(run_requests(request(list)).messages == 1);
  CHECK(run_requests(request(list + ",a")).error.reason == Reason::kBadConnection);
}

TEST_CASE("LengthsUpTo63BitsAreRead") {
  const Transcript seen =
      run_requests("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\nx");
  CHECK(seen.error.reason == Reason::kNone);
  CHECK(seen.events.find("framing=1:9223372036854775807") != std::string::npos);
}

}  // namespace ringside::http
