#include "sidecar/proxy/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <utility>

namespace ringside::proxy {

namespace {

constexpr std::size_t kMaxNames = 4096;
constexpr std::size_t kMaxNameSize = 63;

std::string_view usual_hint(Cause cause) {
  switch (cause) {
    case Cause::kNoEndpoints:
      return "see `ringside services` for what is registered and `ringside endpoints SERVICE` for "
             "its health";
    case Cause::kBreakerOpen:
      return "each endpoint failed too often just now; see `ringside endpoints SERVICE` for when "
             "it is tried again";
    case Cause::kOverflow: return "too many calls at once; see upstreams.SERVICE.limits";
    case Cause::kConnectFailure:
      return "is the service running, and does it listen on that address?";
    case Cause::kReset:
      return "the service closed the connection before its answer was complete; look at its log";
    case Cause::kBadResponse: return "what came back is not valid HTTP/1.1; look at the service";
    case Cause::kTimeout: return "see upstreams.SERVICE.timeouts";
    case Cause::kWrongInstance:
      return "the registry entry that led here is old; callers go elsewhere by themselves";
    case Cause::kBadRequest: return "the request was not passed on; look at the caller";
    case Cause::kHeadersTooLarge: return "see proxy.header_limit";
    case Cause::kDraining: return "this sidecar is about to stop; try another instance";
  }
  return "";
}

// Insertions, deletions, changes, and neighbours swapped (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  using Row = std::array<std::size_t, kMaxNameSize + 1>;
  Row before{};
  Row above{};
  Row row{};
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = above;
    above = row;
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({change, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::kNoEndpoints: return "no_endpoints";
    case Cause::kBreakerOpen: return "breaker_open";
    case Cause::kOverflow: return "overflow";
    case Cause::kConnectFailure: return "connect_failure";
    case Cause::kReset: return "reset";
    case Cause::kBadResponse: return "bad_response";
    case Cause::kTimeout: return "timeout";
    case Cause::kWrongInstance: return "wrong_instance";
    case Cause::kBadRequest: return "bad_request";
    case Cause::kHeadersTooLarge: return "headers_too_large";
    case Cause::kDraining: return "draining";
  }
  return "unknown";
}

std::optional<Cause> cause_from(std::string_view word) {
  for (auto i = static_cast<int>(Cause::kNoEndpoints); i <= static_cast<int>(Cause::kDraining);
       ++i) {
    if (to_string(static_cast<Cause>(i)) == word) {
      return static_cast<Cause>(i);
    }
  }
  return std::nullopt;
}

int status_of(Cause cause) {
  switch (cause) {
    case Cause::kNoEndpoints:
    case Cause::kBreakerOpen:
    case Cause::kOverflow:
    case Cause::kDraining: return 503;
    case Cause::kConnectFailure:
    case Cause::kReset:
    case Cause::kBadResponse: return 502;
    case Cause::kTimeout: return 504;
    case Cause::kWrongInstance: return 421;
    case Cause::kBadRequest: return 400;
    case Cause::kHeadersTooLarge: return 431;
  }
  return 500;
}

void write_answer_body(const AnswerText& answer, std::string& out) {
  auto to = std::back_inserter(out);
  fmt::format_to(to, "ringside: {}", to_string(answer.cause));
  if (!answer.detail.empty()) {
    fmt::format_to(to, ": {}", answer.detail);
  }
  out.push_back('\n');
  if (!answer.upstream.empty()) {
    fmt::format_to(to, "upstream: {}\n", answer.upstream);
  }
  for (const AttemptLine& attempt : answer.attempts) {
    fmt::format_to(to, "attempt: {} {} after {} ms", attempt.endpoint, attempt.outcome,
                   std::chrono::duration_cast<milliseconds>(attempt.took).count());
    if (!attempt.detail.empty()) {
      fmt::format_to(to, " ({})", attempt.detail);
    }
    out.push_back('\n');
  }
  fmt::format_to(to, "hint: {}\n", answer.hint.empty() ? usual_hint(answer.cause) : answer.hint);
  if (!answer.request_id.empty()) {
    fmt::format_to(to, "request: {}\n", answer.request_id);
  }
}

std::vector<std::string_view> nearest_names(std::string_view wanted,
                                            std::span<const std::string_view> names,
                                            std::size_t most) {
  wanted = wanted.substr(0, kMaxNameSize);
  std::vector<std::pair<std::size_t, std::string_view>> near;
  for (const std::string_view name : names.first(std::min(names.size(), kMaxNames))) {
    if (name.size() > kMaxNameSize) {
      continue;
    }
    const std::size_t distance = edit_distance(wanted, name);
    const bool part = !wanted.empty() && (name.find(wanted) != name.npos ||
                                          (wanted.find(name) != wanted.npos && name.size() >= 3));
    // A third of the letters wrong is still a slip; more is another word.
    if (part || distance <= std::max<std::size_t>(1, wanted.size() / 3)) {
      near.emplace_back(distance, name);
    }
  }
  std::ranges::sort(near);
  std::vector<std::string_view> result;
  for (std::size_t i = 0; i < std::min(most, near.size()); ++i) {
    result.push_back(near[i].second);
  }
  return result;
}

}  // namespace ringside::proxy
