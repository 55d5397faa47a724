#include "sidecar/proxy/access.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <iterator>

namespace ringside::proxy {

namespace {

// Both in JSON and in our text form values stand in quotes with JSON's escapes.
void write_quoted(std::string_view text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c < ' ' || c > '~') {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

class Fields {
 public:
  Fields(std::string& out, bool json) : out_(out), json_(json) {}

  void text(std::string_view name, std::string_view value) {
    begin(name);
    write_quoted(value, out_);
  }
  template <typename Number>
  void number(std::string_view name, Number value) {
    begin(name);
    fmt::format_to(std::back_inserter(out_), "{}", value);
  }

 private:
  void begin(std::string_view name) {
    if (!first_) {
      out_.push_back(json_ ? ',' : ' ');
    }
    first_ = false;
    fmt::format_to(std::back_inserter(out_), fmt::runtime(json_ ? "\"{}\":" : "{}="), name);
  }
  std::string& out_;
  bool json_;
  bool first_ = true;
};

std::string iso_time(WallTime time) {
  const auto whole = std::chrono::floor<seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(whole.time_since_epoch().count()),
                     (time - whole).count());
}

}  // namespace

bool AccessQueue::push(const AccessRecord& record) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kCapacity) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  waiting_.push_back(record);
  return true;
}

void AccessQueue::take(std::vector<AccessRecord>& records) {
  records.clear();
  const std::lock_guard lock(mutex_);
  records.swap(waiting_);
}

std::string format_access(const AccessRecord& record, config::LogFormat format) {
  const bool json = format == config::LogFormat::kJson;
  std::string out;
  if (json) {
    out.push_back('{');
  }
  Fields fields(out, json);
  fields.text("time", iso_time(record.time));
  fields.text("event", "access");
  fields.text("side", record.inbound ? "inbound" : "outbound");
  fields.text("request_id", record.request_id.view());
  fields.text("method", record.method);
  fields.text("path", record.path.view());
  fields.text("upstream", record.upstream.view());
  fields.text("endpoint", record.endpoint.view());
  fields.number("code", record.code);
  fields.text("cause", record.cause);
  fields.number("attempts", record.tries);
  fields.number("duration_ms", std::chrono::duration<double, std::milli>(record.duration).count());
  fields.number("bytes_in", record.bytes_in);
  fields.number("bytes_out", record.bytes_out);
  if (json) {
    out.push_back('}');
  }
  return out;
}

}  // namespace ringside::proxy
