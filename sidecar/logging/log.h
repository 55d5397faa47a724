// Structured log lines to standard error, one per event, as JSON or as text for people.
//
// Made by sidecar/app, used by every room of the sidecar from any thread. Lines go through a
// bounded queue to one writer thread (spdlog's), so that no loop waits for a slow terminal or pipe;
// when the queue is full the oldest lines go and dropped() counts them.
//
//   json   {"time":"2026-11-21T06:15:10.123Z","level":"info","message":"ring has a
//   leader","leader":2} text   06:15:10.123 info  ring has a leader  leader=2
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "config/settings.h"

namespace ringside::logging {

using Level = config::LogLevel;

// One named value of a line. Text may be any bytes; what is not UTF-8 is replaced.
struct Field {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, double, bool> value;
};

// For a terminal or a line of a log, where control characters would forge lines or give commands:
// those of ASCII and of the C1 set (U+0080 to U+009F) become '?', as does what is not UTF-8. Pure.
std::string printable(std::string_view text);

// The line without its end; `unix_ms` is milliseconds since 1970. Pure, for Log and its tests.
std::string format_line(config::LogFormat format, Level level, std::int64_t unix_ms,
                        std::string_view message, std::initializer_list<Field> fields);

class Log {
 public:
  explicit Log(const config::Log& settings);
  ~Log();  // writes what is queued, but waits 2 s at most for a reader that takes nothing
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // A reload changed level or format.
  void reconfigure(const config::Log& settings);
  [[nodiscard]] bool enabled(Level level) const;

  void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});
  void debug(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::kDebug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::kInfo, message, fields);
  }
  void warn(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::kWarn, message, fields);
  }
  void error(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::kError, message, fields);
  }

  // A line that is formatted already (the access log), whatever the level.
  void write_line(std::string_view line);
  // Entries of the queue (lines, or what write_line took at once) lost because it was full.
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  [[nodiscard]] bool wait_until_written() const;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringside::logging
