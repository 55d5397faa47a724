// Fuzzes the parsers of requests and responses. The first byte chooses what is parsed and where the
// bytes are cut. Beside what the sanitizers find, it stops when
// 1. a message gives other events when it is cut;
// 2. our validator passes a head that llhttp reads differently;
// 3. a head that was accepted is, written again, not read the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sidecar/http/route.h"
#include "sidecar/http/writer.h"
#include "transcript.h"

namespace {

using namespace ringside::http;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void check_request(std::string_view bytes, std::size_t cut) {
  const Transcript whole = run_requests(bytes);
  require(run_requests(bytes, {cut}).events == whole.events);
  require(run_requests(bytes, every_byte(bytes.size())).events == whole.events);
  require(whole.error.reason != Reason::kDisagreement);

  RequestParser parser{Limits{}};
  if (parser.next({bytes.data(), bytes.size()}).kind != Step::Kind::kHead) {
    return;
  }
  const RequestHead& head = parser.head();
  const Route route = route_name(head, {});
  std::string out;
  RequestEdits edits;
  edits.framing = head.framing;
  if (route.kind == Route::Kind::kService) {
    edits.target = route.target;
    edits.host = route.service.view();
  } else if (head.minor_version == 0) {
    edits.host = "a";
  }
  write_request_head(head, edits, out);
  RequestParser again{Limits{.head_bytes = 1 << 20}};
  const Step step = again.next({out.data(), out.size()});
  require(step.kind == Step::Kind::kHead && step.consumed == out.size());
  require(again.head().framing == head.framing && again.head().method == head.method);
}

void check_response(std::string_view bytes, std::size_t cut, Asked asked) {
  const std::vector<Asked> all = {asked};
  const Transcript whole = run_responses(bytes, all, Eof::kCloses);
  require(run_responses(bytes, all, Eof::kCloses, {cut}).events == whole.events);
  require(run_responses(bytes, all, Eof::kCloses, every_byte(bytes.size())).events == whole.events);
  require(whole.error.reason != Reason::kDisagreement);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const std::uint8_t choice = data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t cut = choice / 8 * bytes.size() / 32;
  switch (choice % 8) {
    case 4: check_response(bytes, cut, {}); break;
    case 5: check_response(bytes, cut, {Method::kHead, false}); break;
    case 6: check_response(bytes, cut, {Method::kConnect, false}); break;
    case 7: check_response(bytes, cut, {Method::kGet, true}); break;
    default: check_request(bytes, cut); break;
  }
  return 0;
}
