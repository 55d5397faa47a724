// The answers that the proxy itself makes: causes, their statuses, and a body that says what
// happened and what to do.
//
// Called by exchange and downstream. Pure. product.md "Answers of the proxy itself".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/time.h"

namespace ringside::proxy {

enum class Cause : std::uint8_t {
  kNoEndpoints,
  kBreakerOpen,
  kOverflow,
  kConnectFailure,
  kReset,
  kBadResponse,
  kTimeout,
  kWrongInstance,
  kBadRequest,
  kHeadersTooLarge,
  kDraining,
};
std::string_view to_string(Cause cause);  // as in x-ringside-error
int status_of(Cause cause);
// What another sidecar said in x-ringside-error; nullopt for a word that is none of ours.
std::optional<Cause> cause_from(std::string_view word);

// One try of an exchange, as people read it.
struct AttemptLine {
  std::string_view endpoint;  // host:port
  std::string_view outcome;   // e.g. "connect_failure"
  std::string_view detail;    // may be empty
  Duration took{0};
};

struct AnswerText {
  Cause cause = Cause::kBadRequest;
  std::string_view upstream;  // may be empty
  std::string_view detail;    // one sentence on this case
  std::string_view hint;      // empty: the usual one for the cause
  std::string_view request_id;
  std::span<const AttemptLine> attempts;
};
void write_answer_body(const AnswerText& answer, std::string& out);

// Up to `most` of `names` that a person may have meant by `wanted`, nearest first. Looks at 4096
// names at most.
std::vector<std::string_view> nearest_names(std::string_view wanted,
                                            std::span<const std::string_view> names,
                                            std::size_t most);

}  // namespace ringside::proxy
