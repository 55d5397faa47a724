// Why a message was refused: the counted reason, the cause that users see, and the status of the
// answer.
//
// Made by the parsers, read by sidecar/proxy (answer, log, counters). Values, no thread rule. A
// reason never changes its word: tests and dashboards know them by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringside::http {

enum class Reason : std::uint8_t {
  kNone,
  // lines
  kBareLf,     // a line that ends in LF without CR
  kBareCr,     // CR inside a line
  kNul,        // a zero byte
  kEmptyLine,  // more than one empty line before a request
  // first line
  kBadRequestLine,  // not exactly three parts with one space between
  kBadMethod,       // not a token, or none that llhttp knows
  kBadTarget,       // no legal form, or the wrong one for the method
  kBadVersion,      // neither HTTP/1.0 nor HTTP/1.1
  kBadStatusLine,
  // fields
  kNoColon,
  kEmptyName,
  kBadName,           // not a token
  kSpaceBeforeColon,  // between name and colon
  kBadValue,          // a control character
  kFolded,            // a line that begins with white space
  kBadConnection,     // an element of Connection that is no token, or too many of them
  kNoHost,
  kManyHosts,
  kBadHost,
  // framing
  kBothLengths,   // Content-Length and Transfer-Encoding
  kBadLength,     // not digits, empty, or over 2^63 - 1
  kManyLengths,   // repeated Content-Length, even if equal
  kBadCoding,     // a Transfer-Encoding other than exactly one `chunked`
  kTeOnHttp10,    // Transfer-Encoding in an HTTP/1.0 message
  kInterimBody,   // 1xx that announces a body
  kConnectBody,   // CONNECT with a body
  kBadChunk,      // chunk size, extension or end
  kChunkTooLong,  // a chunk line over its limit
  kDisagreement,  // llhttp reads the head differently
  // sizes
  kHeadTooLarge,
  kTooManyFields,
  kTargetTooLong,
  kTrailerTooLarge,
  // responses
  kUnexpectedUpgrade,  // 101 that nobody asked for
  kTooManyInterim,     // too many 1xx before the answer
  kUnsolicited,        // bytes from an upstream that was asked nothing
  kNoAnswer,           // the connection ended before the first byte
  kTruncated,          // the connection ended inside the message
};
inline constexpr std::size_t kReasonCount = static_cast<std::size_t>(Reason::kTruncated) + 1;

// Lower-case word, e.g. "both_lengths".
std::string_view to_string(Reason reason);

// As in `x-ringside-error`.
enum class Cause : std::uint8_t { kBadRequest, kHeadersTooLarge, kBadResponse, kReset };
std::string_view to_string(Cause cause);

struct ParseError {
  Reason reason = Reason::kNone;
  Cause cause = Cause::kBadRequest;
  int status = 0;  // of the proxy's own answer: 400, 431 or 502

  bool operator==(const ParseError&) const = default;
};

// The error that `reason` comes to in a request; in a response.
ParseError request_error(Reason reason);
ParseError response_error(Reason reason);

}  // namespace ringside::http
