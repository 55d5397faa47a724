// Requests that a caller sends ahead, and reads the answers slowly.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "callers.h"
#include "sidecar/proxy/downstream.h"

namespace ringside::proxy {

namespace {

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: nobody\r\n\r\n";

std::size_t count(std::string_view text, std::string_view word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    ++found;
  }
  return found;
}

}  // namespace

// What is held back for the caller shrinks by and by; what comes meanwhile stands behind the
// requests that wait for that.
TEST_CASE("BytesThatComeWhileRequestsWaitForTheReaderDoNotOvertakeThem") {
  constexpr std::size_t kAhead = 300;
  test::Bench bench;
  const std::size_t one = bench.connect(4096);
  std::string ahead;
  for (std::size_t i = 0; i < kAhead; ++i) {
    ahead += kRequest;
  }
  // The last one comes byte by byte, while the answers are read.
  std::string_view last = kRequest;
  bench.send(one, ahead.append(last.substr(0, 1)));
  last.remove_prefix(1);
  std::string answers;
  for (int silent = 0; silent < 10;) {
    const std::string more = bench.read(one, 1000);
    answers += more;
    silent = more.empty() ? silent + 1 : 0;
    bench.send(one, last.substr(0, 1));
    last.remove_prefix(last.empty() ? 0 : 1);
  }
  CHECK(count(answers, "HTTP/1.1 503") == kAhead + 1);
  CHECK(count(answers, "HTTP/1.1 400") == 0);
}

// Who ends inside a request has no answer to that one; those before it were complete.
TEST_CASE("ACallerThatEndsInsideARequestGetsTheAnswersToThoseBefore") {
  constexpr std::size_t kAhead = 60;  // their answers are less than what holds further ones back
  test::Bench bench;
  const std::size_t one = bench.connect(4096);
  std::string ahead;
  for (std::size_t i = 0; i < kAhead; ++i) {
    ahead += kRequest;
  }
  bench.send(one, ahead + "GET / HTTP/1.1\r\nHo");
  REQUIRE(::shutdown(bench.callers[one].far_end.fd(), SHUT_WR) == 0);
  std::string answers;
  for (int silent = 0; silent < 10;) {
    bench.turn();
    const std::string more = bench.read(one, 1000);
    answers += more;
    silent = more.empty() ? silent + 1 : 0;
  }
  CHECK(count(answers, "HTTP/1.1 503") == kAhead);
  CHECK(bench.callers[one].closed);
}

}  // namespace ringside::proxy
