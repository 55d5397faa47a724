#include "balancer/cause.h"

#include <array>
#include <cstddef>

namespace ringside::balancer {
namespace {

// "100" to "999", so that a label needs no allocation and lives for ever.
constexpr auto kStatusDigits = [] {
  std::array<std::array<char, 3>, 900> digits{};
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::size_t status = i + 100;
    digits[i] = {static_cast<char>('0' + status / 100), static_cast<char>('0' + status / 10 % 10),
                 static_cast<char>('0' + status % 10)};
  }
  return digits;
}();

std::string_view status_label(int status) {
  if (status < 100 || status > 999) return "status";
  const auto& digits = kStatusDigits[static_cast<std::size_t>(status - 100)];
  return {digits.data(), digits.size()};
}

}  // namespace

std::string_view label(const Failure& failure) {
  switch (failure.cause) {
    case Cause::kConnectFailure: return "connect_failure";
    case Cause::kRefused: return "refused";
    case Cause::kReset: return "reset";
    case Cause::kTimeout: return "timeout";
    case Cause::kBadResponse: return "bad_response";
    case Cause::kStatus: return status_label(failure.status);
  }
  return "unknown";
}

Outcome outcome_of(const Failure& failure) {
  switch (failure.cause) {
    case Cause::kRefused: return Outcome::kNeutral;
    case Cause::kStatus: return outcome_of_status(failure.status);
    case Cause::kConnectFailure:
    case Cause::kReset:
    case Cause::kTimeout:
    case Cause::kBadResponse: return Outcome::kFailure;
  }
  return Outcome::kNeutral;
}

Outcome outcome_of_status(int status) {
  return status >= 500 && status <= 599 ? Outcome::kFailure : Outcome::kSuccess;
}

}  // namespace ringside::balancer
