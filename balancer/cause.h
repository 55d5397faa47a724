// Why one try failed, and what that means for the breaker.
//
// Shared by sidecar/proxy (which sees the failure), retry/ (which decides what follows) and
// breaker/ (which counts). Plain values.
#pragma once

#include <cstdint>
#include <string_view>

namespace ringside::balancer {

enum class Cause : std::uint8_t {
  kConnectFailure,  // no connection within timeouts.connect: surely not processed
  kRefused,         // the other sidecar says that it did not process it
  kReset,           // the connection ended before the response did
  kTimeout,         // per_try or response ran out
  kBadResponse,     // what came back is no valid response
  kStatus,          // a response whose status is a failure
};

// One failed try. `status` counts for kStatus only.
struct Failure {
  Cause cause = Cause::kConnectFailure;
  int status = 0;

  bool operator==(const Failure&) const = default;
};

// The label of the metric, the access log and x-ringside-error: "connect_failure", "refused",
// "reset", "timeout", "bad_response", or the status in digits ("503"; "status" when it has not
// three digits). Points at static storage.
std::string_view label(const Failure& failure);

// What a try says about its host.
enum class Outcome : std::uint8_t {
  kSuccess,
  kFailure,
  kNeutral,  // says nothing: refused, or the caller went away; gives a probe back
};

// product.md "Breaker": failures are connect_failure, reset, timeout, bad_response and status 500
// to 599; any other status is a success; refused is neutral.
Outcome outcome_of(const Failure& failure);
Outcome outcome_of_status(int status);

}  // namespace ringside::balancer
