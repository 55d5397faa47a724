// drill_load: see load_options.cc for its flags and commands.
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

#include "tests/drills/load/loader.h"

namespace {

using ringside::drill::Loader;

// Lines from stdin. Its end is the end of who started us: as `stop`.
class Commands {
 public:
  explicit Commands(Loader& loader) : loader_(loader) {}

  void read() {
    std::array<char, 256> buffer;
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got <= 0) {
      stop_ = true;
      return;
    }
    text_.append(buffer.data(), static_cast<std::size_t>(got));
    for (std::size_t end = 0; (end = text_.find('\n')) != std::string::npos;) {
      carry_out(text_.substr(0, end));
      text_.erase(0, end + 1);
    }
  }
  [[nodiscard]] bool stop() const { return stop_; }
  void report() {
    fmt::print("{}\n", loader_.results().take());
    std::fflush(stdout);
  }

 private:
  void carry_out(const std::string& command) {
    if (command == "report") {
      report();
    } else if (command == "stop") {
      stop_ = true;
    } else {
      fmt::print(stderr, "what is {}?\n", command);
    }
  }

  Loader& loader_;
  std::string text_;
  bool stop_ = false;
};

}  // namespace

int main(int count, char** words) {
  const ringside::drill::LoadOptions options = ringside::drill::parse_load_options(count, words);
  ringside::drill::Poller poller;
  Loader loader(poller, options);
  Commands commands(loader);
  poller.add(STDIN_FILENO, EPOLLIN, [&](std::uint32_t) { commands.read(); });
  while (!commands.stop()) {
    loader.turn();
  }
  loader.stop_sending();
  while (!loader.idle()) {
    loader.turn();
  }
  commands.report();
  return 0;
}
