#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "balancer/retry/retry.h"

namespace ringside::balancer {
namespace {

using enum RetryVerdict;

struct Row {
  const char* what;
  RetryInput input;
  RetryVerdict verdict;
  const char* reason;
};

RetryInput input_of(Failure failure, std::string_view method) {
  return {.failure = failure, .method = method};
}

RetryInput with(RetryInput input, auto change) {
  change(input);
  return input;
}

void check_rows(const config::Retry& settings, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const RetryDecision decision = decide_retry(settings, row.input);
    CHECK(std::string(to_string(decision.verdict)) == to_string(row.verdict));
    CHECK(decision.reason == row.reason);
    CHECK(decision.retry() == (row.verdict == kRetry || row.verdict == kRetryUnprocessed));
  }
}

constexpr Failure kConnect{.cause = Cause::kConnectFailure};
constexpr Failure kRefusal{.cause = Cause::kRefused};
constexpr Failure kBroken{.cause = Cause::kReset};
constexpr Failure kLate{.cause = Cause::kTimeout};
constexpr Failure kGarbled{.cause = Cause::kBadResponse};
constexpr Failure status(int code) {
  return {.cause = Cause::kStatus, .status = code};
}

TEST_CASE("RetryRuleByCauseAndMethodWithTheDefaults") {
  check_rows(
      config::Retry{},
      {{"connect failure, GET", input_of(kConnect, "GET"), kRetryUnprocessed, "connect_failure"},
       {"connect failure, POST", input_of(kConnect, "POST"), kRetryUnprocessed, "connect_failure"},
       {"refused, POST", input_of(kRefusal, "POST"), kRetryUnprocessed, "refused"},
       {"reset, GET", input_of(kBroken, "GET"), kRetry, "reset"},
       {"reset, POST", input_of(kBroken, "POST"), kNotIdempotent, "reset"},
       {"reset before a byte was sent, POST",
        with(input_of(kBroken, "POST"), [](RetryInput& i) { i.sent = false; }), kRetryUnprocessed,
        "reset"},
       {"timeout is not in the defaults", input_of(kLate, "GET"), kNotListed, "timeout"},
       {"bad response has no name in `on`", input_of(kGarbled, "GET"), kNotListed, "bad_response"},
       {"503, GET", input_of(status(503), "GET"), kRetry, "503"},
       {"502, PUT", input_of(status(502), "PUT"), kRetry, "502"},
       {"504, DELETE", input_of(status(504), "DELETE"), kRetry, "504"},
       {"503, POST", input_of(status(503), "POST"), kNotIdempotent, "503"},
       {"503, PATCH", input_of(status(503), "PATCH"), kNotIdempotent, "503"},
       {"500 is not in the defaults", input_of(status(500), "GET"), kNotListed, "500"},
       {"an unsent flag does not unsay a status",
        with(input_of(status(503), "POST"), [](RetryInput& i) { i.sent = false; }), kNotIdempotent,
        "503"}});
}

TEST_CASE("RetryCountsAttemptsAndHostsApart") {
  const auto retries = [](int count) { return [count](RetryInput& i) { i.retries = count; }; };
  const auto hosts = [](int count) { return [count](RetryInput& i) { i.unprocessed = count; }; };
  check_rows(
      config::Retry{},
      {{"one of two used", with(input_of(kBroken, "GET"), retries(1)), kRetry, "reset"},
       {"two of two used", with(input_of(kBroken, "GET"), retries(2)), kAttemptsUsed, "reset"},
       {"connect failure after all attempts", with(input_of(kConnect, "GET"), retries(2)),
        kRetryUnprocessed, "connect_failure"},
       {"four further hosts", with(input_of(kConnect, "POST"), hosts(4)), kRetryUnprocessed,
        "connect_failure"},
       {"five further hosts", with(input_of(kConnect, "POST"), hosts(5)), kHostsUsed,
        "connect_failure"},
       {"five further hosts, then a reset", with(input_of(kBroken, "GET"), hosts(5)), kRetry,
        "reset"}});
}

TEST_CASE("RetryAttemptsZeroStillMovesOnFromAHostThatIsNotThere") {
  config::Retry settings;
  settings.attempts = 0;
  check_rows(settings, {{"reset", input_of(kBroken, "GET"), kAttemptsUsed, "reset"},
                        {"connect failure", input_of(kConnect, "POST"), kRetryUnprocessed,
                         "connect_failure"}});
}

TEST_CASE("RetryObeysWhatIsListed") {
  config::Retry settings;
  settings.on = {.connect_failure = false,
                 .refused = false,
                 .reset = false,
                 .timeout = true,
                 .statuses = {500}};
  check_rows(settings,
             {{"connect failure", input_of(kConnect, "GET"), kNotListed, "connect_failure"},
              {"refused", input_of(kRefusal, "GET"), kNotListed, "refused"},
              {"reset", input_of(kBroken, "GET"), kNotListed, "reset"},
              {"timeout, GET", input_of(kLate, "GET"), kRetry, "timeout"},
              {"timeout, POST", input_of(kLate, "POST"), kNotIdempotent, "timeout"},
              {"timeout before a byte was sent, POST",
               with(input_of(kLate, "POST"), [](RetryInput& i) { i.sent = false; }),
               kRetryUnprocessed, "timeout"},
              {"500", input_of(status(500), "GET"), kRetry, "500"},
              {"503", input_of(status(503), "GET"), kNotListed, "503"}});
}

TEST_CASE("RetryNeverFollowsABodyThatIsGoneOrAnAnswerThatHasBegun") {
  const auto gone = [](RetryInput& i) { i.replayable = false; };
  const auto begun = [](RetryInput& i) { i.response_started = true; };
  check_rows(
      config::Retry{},
      {{"body gone", with(input_of(kBroken, "PUT"), gone), kNotReplayable, "reset"},
       {"body gone, refused", with(input_of(kRefusal, "POST"), gone), kNotReplayable, "refused"},
       {"answer begun", with(input_of(kBroken, "GET"), begun), kResponseStarted, "reset"}});
}

TEST_CASE("IdempotentMethodsAreThoseOfTheRfcAsWritten") {
  for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}) {
    CHECK(is_idempotent(method));
  }
  for (const char* method : {"POST", "PATCH", "CONNECT", "get", "PROPFIND", "", "GETX"}) {
    CHECK_FALSE(is_idempotent(method));
  }
}

TEST_CASE("BreakerOutcomeOfEachFailure") {
  CHECK(outcome_of(kConnect) == Outcome::kFailure);
  CHECK(outcome_of(kBroken) == Outcome::kFailure);
  CHECK(outcome_of(kLate) == Outcome::kFailure);
  CHECK(outcome_of(kGarbled) == Outcome::kFailure);
  CHECK(outcome_of(kRefusal) == Outcome::kNeutral);
  CHECK(outcome_of(status(500)) == Outcome::kFailure);
  CHECK(outcome_of(status(599)) == Outcome::kFailure);
  for (const int code : {101, 200, 304, 404, 421, 429, 499, 600}) {
    CHECK(outcome_of(status(code)) == Outcome::kSuccess);
  }
}

TEST_CASE("StatusLabelsAreDigits") {
  CHECK(label(status(100)) == "100");
  CHECK(label(status(507)) == "507");
  CHECK(label(status(999)) == "999");
  CHECK(label(status(99)) == "status");
  CHECK(label(status(1000)) == "status");
  CHECK(label(status(-1)) == "status");
}

}  // namespace
}  // namespace ringside::balancer
