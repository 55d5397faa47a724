#include "balancer/retry/retry.h"

#include <algorithm>
#include <array>

namespace ringside::balancer {
namespace {

bool listed(const config::RetryOn& on, const Failure& failure) {
  switch (failure.cause) {
    case Cause::kConnectFailure: return on.connect_failure;
    case Cause::kRefused: return on.refused;
    case Cause::kReset: return on.reset;
    case Cause::kTimeout: return on.timeout;
    case Cause::kBadResponse: return false;  // retry.on has no name for it
    case Cause::kStatus: return std::ranges::find(on.statuses, failure.status) != on.statuses.end();
  }
  return false;
}

bool surely_unprocessed(const RetryInput& input) {
  switch (input.failure.cause) {
    case Cause::kConnectFailure:
    case Cause::kRefused: return true;
    case Cause::kReset:
    case Cause::kTimeout: return !input.sent;
    case Cause::kBadResponse:
    case Cause::kStatus: return false;
  }
  return false;
}

RetryVerdict verdict_of(const config::Retry& settings, const RetryInput& input) {
  if (input.response_started) return RetryVerdict::kResponseStarted;
  if (!listed(settings.on, input.failure)) return RetryVerdict::kNotListed;
  if (!input.replayable) return RetryVerdict::kNotReplayable;
  if (surely_unprocessed(input)) {
    return input.unprocessed < kMaxUnprocessedRetries ? RetryVerdict::kRetryUnprocessed
                                                      : RetryVerdict::kHostsUsed;
  }
  if (!is_idempotent(input.method)) return RetryVerdict::kNotIdempotent;
  return input.retries < settings.attempts ? RetryVerdict::kRetry : RetryVerdict::kAttemptsUsed;
}

}  // namespace

bool is_idempotent(std::string_view method) {
  static constexpr std::array<std::string_view, 6> kIdempotent{"GET",   "HEAD", "OPTIONS",
                                                               "TRACE", "PUT",  "DELETE"};
  return std::ranges::find(kIdempotent, method) != kIdempotent.end();
}

const char* to_string(RetryVerdict verdict) {
  switch (verdict) {
    case RetryVerdict::kRetry: return "retry";
    case RetryVerdict::kRetryUnprocessed: return "retry_unprocessed";
    case RetryVerdict::kNotListed: return "not_listed";
    case RetryVerdict::kNotIdempotent: return "not_idempotent";
    case RetryVerdict::kNotReplayable: return "not_replayable";
    case RetryVerdict::kResponseStarted: return "response_started";
    case RetryVerdict::kAttemptsUsed: return "attempts_used";
    case RetryVerdict::kHostsUsed: return "hosts_used";
  }
  return "unknown";
}

RetryDecision decide_retry(const config::Retry& settings, const RetryInput& input) {
  return {.verdict = verdict_of(settings, input), .reason = label(input.failure)};
}

}  // namespace ringside::balancer
