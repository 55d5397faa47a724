#include "message_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "sidecar/http/route.h"
#include "sidecar/http/writer.h"
#include "transcript.h"

namespace ringside::http {
namespace {

using Verdict = std::optional<std::string>;

// Room for what rewriting adds.
const Limits kWide{.head_bytes = 1 << 20, .fields = 1000, .target_bytes = 1 << 20};

void write_piece(const Framing& framing, std::span<const char> piece, std::string& out) {
  const bool chunked = framing.kind == Framing::Kind::kChunked;
  if (chunked) {
    out.append(ChunkHeader(piece.size()).view());
  }
  out.append(piece.data(), piece.size());
  out.append(chunked ? kChunkEnd : "");
}

void write_end(const Framing& framing, std::span<const Field> trailers, std::string& out) {
  if (framing.kind == Framing::Kind::kChunked) {
    write_last_chunk(trailers, out);
  }
}

void write_head(const RequestHead& head, std::string& out) {
  const Route route = route_name(head, {});
  RequestEdits edits;
  edits.framing = head.framing;
  if (route.kind == Route::Kind::kService) {
    edits.target = route.target;
    edits.host = route.service.view();
  } else if (!head.has(FieldId::kHost)) {
    edits.host = "a";
  }
  write_request_head(head, edits, out);
}

// All requests in `bytes`, as the proxy sends them on.
std::string rewritten_requests(std::string_view bytes) {
  RequestParser parser{Limits{}};
  std::string out;
  while (true) {
    const Step step = parser.next({bytes.data(), bytes.size()});
    bytes.remove_prefix(step.consumed);
    switch (step.kind) {
      case Step::Kind::kHead: write_head(parser.head(), out); break;
      case Step::Kind::kBody: write_piece(parser.head().framing, step.body, out); break;
      case Step::Kind::kEnd: write_end(parser.head().framing, parser.trailers(), out); break;
      default: return out;
    }
  }
}

// The first response in `bytes`, as a caller of HTTP/1.1 gets it; the connection ends behind it.
std::string rewritten_response(std::string_view bytes, Asked asked) {
  ResponseParser parser{Limits{}};
  parser.expect(asked.method, asked.upgrade);
  std::string out;
  Framing framing;
  while (true) {
    Step step = parser.next({bytes.data(), bytes.size()});
    bytes.remove_prefix(step.consumed);
    if (step.kind == Step::Kind::kNeedMore) {
      step = parser.on_eof();
    }
    switch (step.kind) {
      case Step::Kind::kHead: {
        framing = response_framing(RequestHead{}, parser.head());
        ResponseEdits edits;
        edits.framing = framing;
        edits.keep_framing_fields = keeps_framing_fields(RequestHead{}, parser.head());
        write_response_head(parser.head(), edits, out);
        break;
      }
      case Step::Kind::kBody: write_piece(framing, step.body, out); break;
      case Step::Kind::kEnd: write_end(framing, parser.trailers(), out); return out;
      default: return out;
    }
  }
}

// What may differ between a head and its rewritten form.
bool may_change(const std::string& field) {
  static constexpr std::string_view kNames[] = {
      "host",    "connection",         "keep-alive",          "proxy-connection",
      "te",      "proxy-authenticate", "proxy-authorization", "upgrade",
      "trailer", "content-length",     "transfer-encoding"};
  const std::string_view name = std::string_view(field).substr(0, field.find(':'));
  return std::ranges::any_of(
      kNames, [name](std::string_view known) { return equals_ignoring_case(name, known); });
}

// Each field of `written` stands in `read`, in that order.
bool fields_in_order(const std::vector<std::string>& read,
                     const std::vector<std::string>& written) {
  auto at = read.begin();
  for (const std::string& field : written) {
    if (may_change(field)) {
      continue;
    }
    at = std::find(at, read.end(), field);
    if (at == read.end()) {
      return false;
    }
    ++at;
  }
  return true;
}

Verdict compare(const Transcript& read, const Transcript& again, const std::string& written) {
  const auto broken = [&](std::string_view what) {
    return fmt::format("{} changed by writing\n{}\nas\n{}\nfrom\n{}", what, again.events, written,
                       read.events);
  };
  if (again.messages != read.messages) {
    return broken("the number of messages is");
  }
  if (again.body != read.body) {
    return broken("bodies are");
  }
  return fields_in_order(read.fields, again.fields) ? Verdict() : broken("fields are");
}

template <typename Run>
Verdict same_however_cut(const Transcript& whole, const std::vector<Cuts>& cuts, const Run& run) {
  if (whole.error.reason == Reason::kDisagreement) {
    return "our validator passes a head that llhttp reads differently";
  }
  for (const Cuts& one : cuts) {
    if (const std::string events = run(one).events; events != whole.events) {
      return fmt::format("cut at {}{}:\n{}\nnot cut:\n{}", one.empty() ? 0 : one.front(),
                         one.size() > 1 ? " and so on" : "", events, whole.events);
    }
  }
  return std::nullopt;
}

Verdict check_requests(std::string_view bytes, const std::vector<Cuts>& cuts) {
  const auto run = [bytes](const Cuts& one) { return run_requests(bytes, one); };
  const Transcript whole = run({});
  if (Verdict verdict = same_however_cut(whole, cuts, run)) {
    return verdict;
  }
  const std::string written = rewritten_requests(bytes);
  return compare(whole, run_requests(written, {}, kWide), written);
}

Verdict check_response(std::string_view bytes, const std::vector<Cuts>& cuts, Asked asked) {
  const std::vector<Asked> all = {asked};
  const auto run = [&](const Cuts& one) { return run_responses(bytes, all, Eof::kCloses, one); };
  const Transcript whole = run({});
  if (Verdict verdict = same_however_cut(whole, cuts, run)) {
    return verdict;
  }
  // A tunnel's bytes, and a response that was refused, are not written again.
  if (whole.messages == 0 || whole.events.find("tunnel=true") != std::string::npos) {
    return std::nullopt;
  }
  const std::string written = rewritten_response(bytes, asked);
  return compare(whole, run_responses(written, all, Eof::kCloses, {}, kWide), written);
}

}  // namespace

std::optional<std::string> broken_rule(std::string_view input, const std::vector<Cuts>& cuts) {
  if (input.size() < 2) {
    return std::nullopt;
  }
  const std::string_view bytes = input.substr(1);
  switch (static_cast<unsigned char>(input.front()) % 8) {
    case 4: return check_response(bytes, cuts, {});
    case 5: return check_response(bytes, cuts, {Method::kHead, false});
    case 6: return check_response(bytes, cuts, {Method::kConnect, false});
    case 7: return check_response(bytes, cuts, {Method::kGet, true});
    default: return check_requests(bytes, cuts);
  }
}

}  // namespace ringside::http
