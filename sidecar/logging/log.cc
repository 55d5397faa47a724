#include "sidecar/logging/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "config/utf8.h"

namespace ringside::logging {

namespace {

using nlohmann::ordered_json;

// Each costs about 400 bytes, from the start.
constexpr std::size_t kQueueEntries = 2048;
// The end waits for a reader as long as it takes something from time to time.
constexpr std::chrono::seconds kStuck{2};
constexpr std::chrono::milliseconds kLookAgain{5};
// The state of a Log whose thread is in a write that may never end. It is kept here so that a leak
// checker does not take it for lost, and say so where nobody reads.
std::atomic<void*> abandoned = nullptr;
constexpr std::array<const char*, 4> kLevelNames{"debug", "info", "warn", "error"};

// Writes to descriptor 2 itself: stdio's lock would be held for as long as a write takes, and the
// program's exit wants it.
class CountingSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  [[nodiscard]] std::uint64_t written() const { return written_.load(std::memory_order_relaxed); }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    line_.clear();
    formatter_->format(message, line_);
    std::string_view rest(line_.data(), line_.size());
    while (!rest.empty()) {
      const ssize_t taken = ::write(STDERR_FILENO, rest.data(), rest.size());
      if (taken >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(taken));
      } else if (errno == EAGAIN) {  // somebody else has made it non-blocking
        pollfd room{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
        static_cast<void>(::poll(&room, 1, -1));
      } else if (errno != EINTR) {
        break;  // nobody is there
      }
    }
    written_.fetch_add(1, std::memory_order_relaxed);
  }
  void flush_() override {}

 private:
  spdlog::memory_buf_t line_;
  std::atomic<std::uint64_t> written_{0};
};

const char* name_of(Level level) {
  return kLevelNames.at(static_cast<std::size_t>(level));
}

std::string date_and_time(std::int64_t unix_ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(static_cast<std::time_t>(unix_ms / 1000)), unix_ms % 1000);
}

std::string as_json(Level level, std::int64_t unix_ms, std::string_view message,
                    std::initializer_list<Field> fields) {
  ordered_json line{
      {"time", date_and_time(unix_ms)}, {"level", name_of(level)}, {"message", message}};
  for (const auto& field : fields) {
    std::visit([&](const auto& value) { line[std::string(field.key)] = value; }, field.value);
  }
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

// In quotes where it could be taken for more than one field.
std::string text_value(std::string_view value) {
  std::string out = printable(value);
  if (out.find_first_of(" =\"") == std::string::npos && !out.empty()) {
    return out;
  }
  std::string quoted = "\"";
  for (const char c : out) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
    }
    quoted += c;
  }
  return quoted + '"';
}
template <typename Number>
std::string text_value(Number value) {
  return fmt::format("{}", value);
}

std::string as_text(Level level, std::int64_t unix_ms, std::string_view message,
                    std::initializer_list<Field> fields) {
  std::string line = fmt::format("{} {:<5} {}", date_and_time(unix_ms).substr(11, 12),
                                 name_of(level), printable(message));
  const char* separator = "  ";
  for (const auto& field : fields) {
    line += separator;
    std::visit(
        [&](const auto& value) { line += fmt::format("{}={}", field.key, text_value(value)); },
        field.value);
    separator = " ";
  }
  return line;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = config::utf8_sequence(text);
    const auto first = static_cast<unsigned char>(text.front());
    const bool c1 = size == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
    if (size == 0 || first < 0x20 || first == 0x7f || c1) {
      out += '?';
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::string format_line(config::LogFormat format, Level level, std::int64_t unix_ms,
                        std::string_view message, std::initializer_list<Field> fields) {
  return format == config::LogFormat::kJson ? as_json(level, unix_ms, message, fields)
                                            : as_text(level, unix_ms, message, fields);
}

struct Log::State {
  std::atomic<std::uint64_t> given{0};  // entries; each is written or dropped
  std::shared_ptr<CountingSink> sink = std::make_shared<CountingSink>();
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
  std::atomic<Level> level{Level::kInfo};
  std::atomic<config::LogFormat> format{config::LogFormat::kJson};
};

Log::Log(const config::Log& settings) : state_(std::make_unique<State>()) {
  state_->pool = std::make_shared<spdlog::details::thread_pool>(kQueueEntries, 1);
  state_->logger = std::make_shared<spdlog::async_logger>(
      "ringside", state_->sink, state_->pool, spdlog::async_overflow_policy::overrun_oldest);
  state_->logger->set_pattern("%v");
  state_->logger->set_level(spdlog::level::trace);
  reconfigure(settings);
}

Log::~Log() {
  if (!wait_until_written()) {
    abandoned = state_.release();
  }
}

// False: nobody takes what is written.
bool Log::wait_until_written() const {
  using Clock = std::chrono::steady_clock;
  auto moved = Clock::now();
  std::uint64_t seen = 0;
  while (true) {
    const std::uint64_t written = state_->sink->written();
    if (written + dropped() >= state_->given) {
      return true;
    }
    if (written != std::exchange(seen, written)) {
      moved = Clock::now();
    } else if (Clock::now() - moved > kStuck) {
      return false;
    }
    std::this_thread::sleep_for(kLookAgain);
  }
}

void Log::reconfigure(const config::Log& settings) {
  state_->level = settings.level;
  state_->format = settings.format;
}

bool Log::enabled(Level level) const {
  return level >= state_->level.load(std::memory_order_relaxed);
}

void Log::write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!enabled(level)) {
    return;
  }
  const auto now =
      std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const std::string line = format_line(state_->format.load(std::memory_order_relaxed), level,
                                       now.time_since_epoch().count(), message, fields);
  write_line(line);
}

void Log::write_line(std::string_view line) {
  state_->given.fetch_add(1, std::memory_order_relaxed);
  state_->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

std::uint64_t Log::dropped() const {
  return state_->pool->overrun_counter();
}

}  // namespace ringside::logging
