// Load on a ring through the production member, in one process: tests/bench/README.md.
#include <fmt/format.h>

#include <map>

#include "tests/bench/ring_load/modes.h"

int main(int count, char** words) {
  using namespace ringside::bench;
  const Arguments arguments(count, words);
  const std::map<std::string, void (*)(const Arguments&)> modes{
      {"fill", fill},         {"closed", closed_loop},  {"open", open_loop},
      {"sessions", sessions}, {"endpoints", endpoints}, {"disk", disk_floor}};
  const auto mode = modes.find(arguments.mode());
  if (mode == modes.end()) {
    give_up(fmt::format("no mode {}", arguments.mode()));
  }
  mode->second(arguments);
  return 0;
}
