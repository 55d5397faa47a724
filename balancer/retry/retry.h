// The retry rule: may this failed try be followed by another?
//
// Called by sidecar/proxy after each failed try; pure. product.md "Retries": `attempts` counts
// retries after the first try; what was surely not processed (connect_failure, refused, a reset
// before a byte was sent) is tried again whatever the method and outside `attempts`, on at most 5
// further hosts; what may have been processed only for idempotent methods (RFC 9110, 9.2.2). Each
// try goes to a host not yet tried: that is pick's part (PickContext::tried), and a pick that finds
// nobody (kAllTried, kBreakerOpen) ends the retries too.
#pragma once

#include <cstdint>
#include <string_view>

#include "balancer/cause.h"
#include "config/settings.h"

namespace ringside::balancer {

inline constexpr int kMaxUnprocessedRetries = 5;

// GET HEAD OPTIONS TRACE PUT DELETE; method names are case-sensitive.
bool is_idempotent(std::string_view method);

// What the exchange knows when a try has failed.
struct RetryInput {
  Failure failure;
  std::string_view method;
  bool sent = true;        // a byte of the request may have reached the host; of no matter for
                           // connect_failure and refused
  bool replayable = true;  // the request can be sent again: no body, or all of it still at hand
  bool response_started = false;  // a byte of a response went to the caller
  int retries = 0;                // retries inside `attempts` that were made so far
  int unprocessed = 0;            // retries outside `attempts` that were made so far
};

enum class RetryVerdict : std::uint8_t {
  kRetry,             // counts inside `attempts`: ++retries
  kRetryUnprocessed,  // does not: ++unprocessed
  kNotListed,         // give up: retry.on does not name this failure
  kNotIdempotent,     // give up: it may have been processed
  kNotReplayable,     // give up: the body is gone
  kResponseStarted,   // give up: the caller has a part of an answer
  kAttemptsUsed,      // give up
  kHostsUsed,         // give up: 5 further hosts did not process it either
};
const char* to_string(RetryVerdict verdict);  // "retry", "retry_unprocessed", "not_listed", ...

struct RetryDecision {
  RetryVerdict verdict = RetryVerdict::kNotListed;
  std::string_view reason;  // label of ringside_upstream_retries_total: the failure's label

  [[nodiscard]] bool retry() const {
    return verdict == RetryVerdict::kRetry || verdict == RetryVerdict::kRetryUnprocessed;
  }
};

RetryDecision decide_retry(const config::Retry& settings, const RetryInput& input);

}  // namespace ringside::balancer
