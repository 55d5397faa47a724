#include "tests/bench/ring_load/arguments.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <set>
#include <sstream>

#include "config/address.h"

namespace ringside::bench {

namespace {

const std::set<std::string> kKeys{"ring",  "voters",   "listen",     "dir",     "under",
                                  "count", "bytes",    "per_second", "seconds", "in_flight",
                                  "nodes", "services", "timeout_ms", "every",   "batch"};

std::uint64_t to_number(const std::string& key, const std::string& text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end) {
    give_up(fmt::format("{}={} is no number", key, text));
  }
  return value;
}

config::Address to_address(const std::string& text) {
  auto address = config::parse_address(text);
  if (!address) {
    give_up(address.error().message);
  }
  return *address;
}

}  // namespace

void give_up(const std::string& why) {
  fmt::print(stderr, "bench_ring: {}\n", why);
  std::exit(1);
}

Arguments::Arguments(int count, char** words) {
  if (count < 2) {
    give_up("usage: bench_ring MODE KEY=VALUE...; tests/bench/README.md has the modes");
  }
  mode_ = words[1];
  for (int at = 2; at < count; ++at) {
    const std::string word = words[at];
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || !kKeys.contains(word.substr(0, equals))) {
      give_up(fmt::format("what is {}?", word));
    }
    values_[word.substr(0, equals)] = word.substr(equals + 1);
  }
}

std::string Arguments::text(const std::string& key, const std::string& otherwise) const {
  const auto found = values_.find(key);
  return found == values_.end() ? otherwise : found->second;
}

std::uint64_t Arguments::number(const std::string& key, std::uint64_t otherwise) const {
  const auto found = values_.find(key);
  return found == values_.end() ? otherwise : to_number(key, found->second);
}

config::Ring Arguments::ring() const {
  config::Ring ring;
  ring.present = true;
  ring.name = text("ring", "test");
  const std::string listen = text("listen");
  ring.listen = listen.empty() ? config::Address{"127.0.0.1", 0} : to_address(listen);
  ring.advertise = ring.listen;
  ring.data_dir = text("dir");
  std::istringstream voters(text("voters"));
  for (std::string word; std::getline(voters, word, ',');) {
    const std::size_t at = word.find('@');
    if (at == std::string::npos) {
      give_up(fmt::format("a voter is ID@HOST:PORT, not {}", word));
    }
    ring.voters.push_back(
        {to_number("voters", word.substr(0, at)), to_address(word.substr(at + 1))});
  }
  if (ring.voters.empty() || ring.data_dir.empty()) {
    give_up("voters=ID@HOST:PORT,... and dir=FOLDER are needed");
  }
  return ring;
}

}  // namespace ringside::bench
