#include "transcript.h"

#include <fmt/format.h>

#include <algorithm>

namespace ringside::http {
namespace {

std::string describe(const Head& head) {
  std::string text = fmt::format("http/1.{} keep_alive={} upgrade={} framing={}:{}",
                                 head.minor_version, head.keep_alive, head.upgrade,
                                 static_cast<int>(head.framing.kind), head.framing.length);
  for (const Field& field : head.fields) {
    text += fmt::format(" [{}: {}]", field.name, field.value);
  }
  return text;
}

std::string describe(const RequestHead& head) {
  return fmt::format("{} {} form={} expect={} {}", to_string(head.method), head.target,
                     static_cast<int>(head.form), head.expect_continue,
                     describe(static_cast<const Head&>(head)));
}

std::string describe(const ResponseHead& head) {
  return fmt::format("{} {} interim={} tunnel={} {}", head.status, head.reason, head.interim,
                     head.tunnel, describe(static_cast<const Head&>(head)));
}

// Collects events; the pieces of a body become one line when something else follows.
class Recorder {
 public:
  template <typename Parser>
  void add(const Parser& parser, const Step& step) {
    if (step.kind == Step::Kind::kBody) {
      pending_.append(step.body.data(), step.body.size());
      return;
    }
    if (step.kind == Step::Kind::kNeedMore) {
      return;
    }
    flush();
    switch (step.kind) {
      case Step::Kind::kHead: add_head(describe(parser.head()), parser.head()); break;
      case Step::Kind::kEnd: add_end(parser.trailers()); break;
      case Step::Kind::kError:
        out_.error = parser.error();
        out_.events += fmt::format("error {} {} {}\n", to_string(out_.error.reason),
                                   to_string(out_.error.cause), out_.error.status);
        break;
      default: break;
    }
  }

  Transcript finish() {
    flush();
    return std::move(out_);
  }

 private:
  void add_head(const std::string& text, const Head& head) {
    out_.events += "head " + text + "\n";
    for (const Field& field : head.fields) {
      out_.fields.push_back(fmt::format("{}: {}", field.name, field.value));
    }
  }

  void add_end(std::span<const Field> trailers) {
    ++out_.messages;
    out_.events += "end";
    for (const Field& field : trailers) {
      out_.events += fmt::format(" [{}: {}]", field.name, field.value);
    }
    out_.events += "\n";
  }

  void flush() {
    if (!pending_.empty()) {
      out_.events += fmt::format("body {}:{}\n", pending_.size(), pending_);
      out_.body += pending_;
      pending_.clear();
    }
  }

  Transcript out_;
  std::string pending_;
};

// Feeds one read's bytes; `after_end` is called behind each message. False once the parser failed
// or stands behind a tunnel's head.
template <typename Parser, typename AfterEnd>
bool feed(Parser& parser, Recorder& recorder, std::string_view bytes, AfterEnd&& after_end) {
  while (true) {
    const Step step = parser.next(std::span<const char>(bytes.data(), bytes.size()));
    bytes.remove_prefix(std::min(step.consumed, bytes.size()));
    recorder.add(parser, step);
    if (step.kind == Step::Kind::kNeedMore) {
      return true;
    }
    if (step.kind == Step::Kind::kError || (step.kind == Step::Kind::kEnd && !after_end())) {
      return false;
    }
  }
}

template <typename Parser, typename AfterEnd>
bool feed_cut(Parser& parser, Recorder& recorder, std::string_view bytes,
              const std::vector<std::size_t>& cuts, AfterEnd&& after_end) {
  std::size_t from = 0;
  std::vector<std::size_t> ends = cuts;
  ends.push_back(bytes.size());
  for (const std::size_t end : ends) {
    // A copy of its own for each read, so that a view kept into an earlier one is caught by asan.
    const std::string piece(bytes.substr(from, end - from));
    from = end;
    if (!feed(parser, recorder, piece, after_end)) {
      return false;
    }
  }
  return true;
}

}  // namespace

Transcript run_requests(std::string_view bytes, const std::vector<std::size_t>& cuts,
                        const Limits& limits) {
  RequestParser parser(limits);
  Recorder recorder;
  feed_cut(parser, recorder, bytes, cuts, [] { return true; });
  return recorder.finish();
}

Transcript run_responses(std::string_view bytes, const std::vector<Asked>& asked, Eof eof,
                         const std::vector<std::size_t>& cuts, const Limits& limits) {
  ResponseParser parser(limits);
  Recorder recorder;
  std::size_t next = 0;
  const auto expect_next = [&] {
    if (next > 0 && parser.head().tunnel) {
      return false;
    }
    if (next < asked.size()) {
      parser.expect(asked[next].method, asked[next].upgrade);
    }
    ++next;
    return true;
  };
  expect_next();
  if (feed_cut(parser, recorder, bytes, cuts, expect_next) && eof == Eof::kCloses) {
    recorder.add(parser, parser.on_eof());
  }
  return recorder.finish();
}

std::vector<std::size_t> every_byte(std::size_t size) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = 1; at < size; ++at) {
    cuts.push_back(at);
  }
  return cuts;
}

}  // namespace ringside::http
