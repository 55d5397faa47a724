// The pure pieces of sidecar/proxy: answers, access log.
#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "sidecar/proxy/access.h"
#include "sidecar/proxy/answers.h"
#include "sidecar/proxy/routed_mark.h"

namespace ringside::proxy {

TEST_CASE("EachCauseHasItsWordAndStatus") {
  const std::vector<std::pair<std::string_view, int>> expected{
      {"no_endpoints", 503},      {"breaker_open", 503},   {"overflow", 503},
      {"connect_failure", 502},   {"reset", 502},          {"bad_response", 502},
      {"timeout", 504},           {"wrong_instance", 421}, {"bad_request", 400},
      {"headers_too_large", 431}, {"draining", 503}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto cause = static_cast<Cause>(i);
    CHECK(to_string(cause) == expected[i].first);
    CHECK(status_of(cause) == expected[i].second);
  }
}

TEST_CASE("AnAnswerTellsCauseAttemptsAndHint") {
  const std::array attempts{
      AttemptLine{"10.0.0.5:80", "connect_failure", "connection refused", milliseconds{3}},
      AttemptLine{"10.0.0.6:80", "503", "", milliseconds{12}}};
  AnswerText answer;
  answer.cause = Cause::kReset;
  answer.upstream = "payments";
  answer.detail = "no_answer";
  answer.attempts = attempts;
  answer.request_id = "abc";
  std::string out;
  write_answer_body(answer, out);
  CHECK(out ==
        "ringside: reset: no_answer\n"
        "upstream: payments\n"
        "attempt: 10.0.0.5:80 connect_failure after 3 ms (connection refused)\n"
        "attempt: 10.0.0.6:80 503 after 12 ms\n"
        "hint: the service closed the connection before its answer was complete; look at its log\n"
        "request: abc\n");
}

TEST_CASE("NearestNamesAreSlipsNotOtherWords") {
  const std::vector<std::string_view> names{"orders", "payments", "payments-eu", "shop", "users"};
  CHECK(nearest_names("payment", names, 3) ==
        std::vector<std::string_view>{"payments", "payments-eu"});
  CHECK(nearest_names("shpo", names, 3) == std::vector<std::string_view>{"shop"});
  CHECK(nearest_names("oders", names, 1) == std::vector<std::string_view>{"orders"});
  CHECK(nearest_names("warehouse", names, 3).empty());
  CHECK(nearest_names(std::string(500, 'x'), names, 3).empty());
  CHECK(nearest_names("", names, 3).empty());
}

TEST_CASE("AFullAccessQueueDropsAndCounts") {
  AccessQueue queue;
  const AccessRecord record{};
  for (std::size_t i = 0; i < AccessQueue::kCapacity; ++i) {
    REQUIRE(queue.push(record));
  }
  CHECK_FALSE(queue.push(record));
  CHECK(queue.dropped() == 1);
  std::vector<AccessRecord> taken;
  queue.take(taken);
  CHECK(taken.size() == AccessQueue::kCapacity);
  CHECK(queue.push(record));
}

TEST_CASE("AnAccessLineEscapesWhatCameFromOutside") {
  AccessRecord record;
  record.time = WallTime{milliseconds{1'700'000'000'123}};
  record.code = 200;
  record.tries = 1;
  record.duration = microseconds{1500};
  record.method = "GET";
  record.request_id = "r";
  record.upstream = "shop";
  record.endpoint = "10.0.0.5:80";
  record.path = "/a\"b\\c\x01\xff";
  record.bytes_out = 7;
  CHECK(format_access(record, config::LogFormat::kJson) ==
        R"({"time":"2023-11-14T22:13:20.123Z","event":"access","side":"outbound",)"
        R"("request_id":"r","method":"GET","path":"/a\"b\\c\u0001\u00ff","upstream":"shop",)"
        R"("endpoint":"10.0.0.5:80","code":200,"cause":"","attempts":1,"duration_ms":1.5,)"
        R"("bytes_in":0,"bytes_out":7})");
  CHECK(
      format_access(record, config::LogFormat::kText)
          .starts_with(
              R"(time="2023-11-14T22:13:20.123Z" event="access" side="outbound" request_id="r")"));
  record.path = std::string(1000, 'x');
  CHECK(record.path.view().size() == 256);
}

TEST_CASE("ATableIsRoutedOnceNothingPickedBeforeItIsUnsent") {
  using balancer::TableVersion;
  RoutedMark mark;
  std::vector<std::uint64_t> told;
  mark.on_change([&told](TableVersion version) { told.push_back(version.generation); });
  RoutedMark::Ticket none = mark.picked();  // no table, no pick
  mark.adopt({10, 1});
  CHECK(mark.routed() == TableVersion{10, 1});
  RoutedMark::Ticket first = mark.picked();
  RoutedMark::Ticket second = mark.picked();
  mark.adopt({12, 2});
  CHECK(mark.routed() == TableVersion{10, 1});
  RoutedMark::Ticket third = mark.picked();
  mark.adopt({15, 3});
  first.drop();
  first.drop();  // once
  CHECK(mark.routed() == TableVersion{10, 1});
  second = mark.picked();  // picked anew: by the third
  CHECK(mark.routed() == TableVersion{12, 2});
  {
    const RoutedMark::Ticket moved = std::move(third);
    CHECK(mark.routed() == TableVersion{12, 2});
  }
  CHECK(mark.routed() == TableVersion{15, 3});
  second.drop();
  mark.adopt({15, 4});
  CHECK(mark.routed() == TableVersion{15, 4});
  CHECK(told == std::vector<std::uint64_t>{1, 2, 3, 4});
}

}  // namespace ringside::proxy
