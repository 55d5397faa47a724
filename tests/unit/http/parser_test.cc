#include <doctest/doctest.h>

#include <algorithm>

#include "config/base/rng.h"
#include "messages.h"

namespace ringside::http {

TEST_CASE("EveryBadRequestIsRefusedForItsReason") {
  for (const BadMessage& message : bad_requests()) {
    CAPTURE(message.rule);
    const Transcript seen = run_requests(message.bytes);
    CHECK(to_string(seen.error.reason) == to_string(message.reason));
    CHECK(seen.error.cause == Cause::kBadRequest);
    CHECK(seen.error.status == 400);
    CHECK(seen.messages == 0);
  }
}

TEST_CASE("EveryBadResponseIsRefusedForItsReason") {
  for (const BadMessage& message : bad_responses()) {
    CAPTURE(message.rule);
    const Transcript seen = run_responses(message.bytes);
    CHECK(to_string(seen.error.reason) == to_string(message.reason));
    CHECK(seen.error.cause == Cause::kBadResponse);
    CHECK(seen.error.status == 502);
  }
}

TEST_CASE("EveryLegalRequestPasses") {
  for (const GoodRequest& message : good_requests()) {
    CAPTURE(message.rule);
    const Transcript seen = run_requests(message.bytes);
    CHECK(to_string(seen.error.reason) == "none");
    CHECK(seen.messages == message.messages);
    CHECK(seen.body == message.body);
  }
}

TEST_CASE("EveryLegalResponsePasses") {
  for (const GoodResponse& message : good_responses()) {
    CAPTURE(message.rule);
    const Transcript seen = run_responses(message.bytes, {message.asked}, message.eof);
    CHECK(to_string(seen.error.reason) == "none");
    CHECK(seen.messages == 1);
    CHECK(seen.body == message.body);
  }
}

TEST_CASE("AMessageCutAtAnyByteGivesTheSameEvents") {
  std::vector<std::string> requests;
  for (const BadMessage& message : bad_requests()) {
    requests.push_back(message.bytes);
  }
  for (const GoodRequest& message : good_requests()) {
    requests.push_back(message.bytes);
  }
  for (const std::string& bytes : requests) {
    CAPTURE(bytes);
    const std::string whole = run_requests(bytes).events;
    CHECK(run_requests(bytes, every_byte(bytes.size())).events == whole);
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      CHECK(run_requests(bytes, {cut}).events == whole);
    }
  }
}

TEST_CASE("AResponseCutAtAnyByteGivesTheSameEvents") {
  std::vector<GoodResponse> responses = good_responses();
  for (const BadMessage& message : bad_responses()) {
    responses.push_back({.rule = message.rule, .bytes = message.bytes, .body = ""});
  }
  for (const GoodResponse& message : responses) {
    CAPTURE(message.rule);
    const auto run = [&](const std::vector<std::size_t>& cuts) {
      return run_responses(message.bytes, {message.asked}, message.eof, cuts).events;
    };
    const std::string whole = run({});
    CHECK(run(every_byte(message.bytes.size())) == whole);
    for (std::size_t cut = 1; cut < message.bytes.size(); ++cut) {
      CHECK(run({cut}) == whole);
    }
  }
}

// Flips, drops, doubles and swaps bytes; whatever comes out is the same however it is cut, and the
// two parsers agree on every head that our validator passes.
std::string mutated(std::string bytes, Rng& rng) {
  using namespace std::string_view_literals;
  static constexpr std::string_view kSpice =
      "\r\n\t ,;:0xX+-\0\x7f\x80"
      "chunked/"sv;
  for (std::uint64_t edits = 1 + rng.below(3); edits > 0 && !bytes.empty(); --edits) {
    const std::size_t at = rng.below(bytes.size());
    switch (rng.below(4)) {
      case 0: bytes[at] = kSpice[rng.below(kSpice.size())]; break;
      case 1: bytes.erase(at, 1 + rng.below(3)); break;
      case 2: bytes.insert(at, 1, kSpice[rng.below(kSpice.size())]); break;
      default: bytes.insert(at, bytes.substr(rng.below(bytes.size()), 1 + rng.below(12)));
    }
  }
  return bytes;
}

TEST_CASE("MutatedMessagesGiveTheSameEventsHoweverCut") {
  Rng rng(7);
  for (int round = 0; round < 20'000; ++round) {
    const auto& good = good_requests()[rng.below(good_requests().size())];
    const std::string bytes = mutated(good.bytes, rng);
    const Transcript whole = run_requests(bytes);
    CAPTURE(bytes);
    REQUIRE(run_requests(bytes, {bytes.size() / 2}).events == whole.events);
    REQUIRE(run_requests(bytes, every_byte(bytes.size())).events == whole.events);
    REQUIRE(to_string(whole.error.reason) != "disagreement");
  }
  for (int round = 0; round < 20'000; ++round) {
    const auto& good = good_responses()[rng.below(good_responses().size())];
    const std::string bytes = mutated(good.bytes, rng);
    const Transcript whole = run_responses(bytes, {good.asked}, good.eof);
    CAPTURE(bytes);
    const auto cuts = every_byte(bytes.size());
    REQUIRE(run_responses(bytes, {good.asked}, good.eof, cuts).events == whole.events);
    REQUIRE(to_string(whole.error.reason) != "disagreement");
  }
}

TEST_CASE("FieldsKeepOrderCaseAndBytes") {
  const Transcript seen =
      run_requests("GET / HTTP/1.1\r\nx-B: 1\r\nHOST: a\r\nX-a: \xff, \"q\"\r\nx-B: 2\r\n\r\n");
  CHECK(seen.fields == std::vector<std::string>{"x-B: 1", "HOST: a", "X-a: \xff, \"q\"", "x-B: 2"});
}

TEST_CASE("TrailersLoseWhatMayNotStandThere") {
  const Transcript seen = run_requests(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\nX-Sum: 1\r\nHost: b\r\nContent-Length: 5\r\nx-ringside-error: reset\r\nY:\r\n\r\n");
  CHECK(seen.events.ends_with("end [X-Sum: 1] [Y: ]\n"));
}

}  // namespace ringside::http
