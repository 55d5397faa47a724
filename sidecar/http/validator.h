// The validator: reads a raw head strictly, before llhttp does, and makes its one parsed form.
//
// Called by the parsers with a head that HeadReader completed (each line ends in CRLF, the last is
// empty). Internal to this room. Refused here, because others let it pass and read it differently:
// CR or NUL inside a line, folded lines, names that are no tokens, white space before the colon,
// none or many Hosts, both lengths, lengths that are not digits or repeated, codings but exactly
// `chunked`, Transfer-Encoding in HTTP/1.0, request lines that have not exactly three parts.
// Views in the result point into `raw`.
#pragma once

#include <string_view>
#include <vector>

#include "sidecar/http/head.h"
#include "sidecar/http/reason.h"
#include "sidecar/http/step.h"

namespace ringside::http {

// Both give kNone and a complete `head`, or the first thing wrong; `head` then is not to be used.
Reason read_request_head(std::string_view raw, const Limits& limits, RequestHead& head);
// `method` and `upgrade_requested` are those of the request that is answered.
Reason read_response_head(std::string_view raw, const Limits& limits, Method method,
                          bool upgrade_requested, ResponseHead& head);

// A trailer section. Fields that may not stand there (RFC 9110, 6.5.1: framing, routing,
// hop-by-hop, ours) are left out.
Reason read_trailers(std::string_view raw, const Limits& limits, std::vector<Field>& trailers);

}  // namespace ringside::http
