// The one way in which an expected failure travels: Result<T> is either a value or an Error that
// says what was tried and what to do.
//
// Used by every room. Values, no thread rule. An Error is for outside conditions (files, peers,
// bytes, settings); a broken invariant of ours is a CHECK (check.h). No exception leaves a source
// file of ours.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace ringside {

enum class ErrorCode {
  kInvalid,      // bytes, settings or arguments that can't be right
  kNotFound,     // the thing named does not exist
  kExists,       // the thing to be made exists
  kUnavailable,  // a peer, quorum or resource is away for now
  kTimeout,      // a deadline passed
  kTooLarge,     // a length, count or size over its bound
  kCorrupt,      // stored or received bytes fail their check
  kRefused,      // the other side, or a rule, said no
  kIo,           // the operating system said no
  kUnsupported,  // not in this version
};

// Lower-case word for logs and JSON, e.g. "not_found".
const char* to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInvalid;
  std::string
      message;  // one sentence, no trailing period, e.g. "cannot open /x/log: permission denied"

  bool operator==(const Error&) const = default;
};

template <typename T>
using Result = std::expected<T, Error>;

using Status = Result<void>;

// return fail(ErrorCode::kInvalid, "...");
inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace ringside
