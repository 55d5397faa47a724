#include "sidecar/http/reason.h"

namespace ringside::http {

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::kNone: return "none";
    case Reason::kBareLf: return "bare_lf";
    case Reason::kBareCr: return "bare_cr";
    case Reason::kNul: return "nul";
    case Reason::kEmptyLine: return "empty_line";
    case Reason::kBadRequestLine: return "bad_request_line";
    case Reason::kBadMethod: return "bad_method";
    case Reason::kBadTarget: return "bad_target";
    case Reason::kBadVersion: return "bad_version";
    case Reason::kBadStatusLine: return "bad_status_line";
    case Reason::kNoColon: return "no_colon";
    case Reason::kEmptyName: return "empty_name";
    case Reason::kBadName: return "bad_name";
    case Reason::kSpaceBeforeColon: return "space_before_colon";
    case Reason::kBadValue: return "bad_value";
    case Reason::kFolded: return "folded";
    case Reason::kBadConnection: return "bad_connection";
    case Reason::kNoHost: return "no_host";
    case Reason::kManyHosts: return "many_hosts";
    case Reason::kBadHost: return "bad_host";
    case Reason::kBothLengths: return "both_lengths";
    case Reason::kBadLength: return "bad_length";
    case Reason::kManyLengths: return "many_lengths";
    case Reason::kBadCoding: return "bad_coding";
    case Reason::kTeOnHttp10: return "te_on_http10";
    case Reason::kInterimBody: return "interim_body";
    case Reason::kConnectBody: return "connect_body";
    case Reason::kBadChunk: return "bad_chunk";
    case Reason::kChunkTooLong: return "chunk_line_too_long";
    case Reason::kDisagreement: return "disagreement";
    case Reason::kHeadTooLarge: return "head_too_large";
    case Reason::kTooManyFields: return "too_many_fields";
    case Reason::kTargetTooLong: return "target_too_long";
    case Reason::kTrailerTooLarge: return "trailer_too_large";
    case Reason::kUnexpectedUpgrade: return "unexpected_upgrade";
    case Reason::kTooManyInterim: return "too_many_interim";
    case Reason::kUnsolicited: return "unsolicited";
    case Reason::kNoAnswer: return "no_answer";
    case Reason::kTruncated: return "truncated";
  }
  return "unknown";
}

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::kBadRequest: return "bad_request";
    case Cause::kHeadersTooLarge: return "headers_too_large";
    case Cause::kBadResponse: return "bad_response";
    case Cause::kReset: return "reset";
  }
  return "unknown";
}

ParseError request_error(Reason reason) {
  switch (reason) {
    case Reason::kHeadTooLarge:
    case Reason::kTooManyFields:
    case Reason::kTargetTooLong:
    case Reason::kTrailerTooLarge: return {reason, Cause::kHeadersTooLarge, 431};
    default: return {reason, Cause::kBadRequest, 400};
  }
}

ParseError response_error(Reason reason) {
  switch (reason) {
    case Reason::kNoAnswer:
    case Reason::kTruncated: return {reason, Cause::kReset, 502};
    default: return {reason, Cause::kBadResponse, 502};
  }
}

}  // namespace ringside::http
