// The command line of bench_ring: a mode and key=value words.
//
// Made by main, read by the modes. A word that nobody knows, or a value that is no number, ends the
// program: a bench that measures something else than was asked for is worse than none.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "config/settings.h"

namespace ringside::bench {

class Arguments {
 public:
  Arguments(int count, char** words);

  [[nodiscard]] std::string text(const std::string& key, const std::string& otherwise = "") const;
  [[nodiscard]] std::uint64_t number(const std::string& key, std::uint64_t otherwise) const;
  // ring, voters, listen (default 127.0.0.1, any port), dir: as in the settings of a sidecar.
  [[nodiscard]] config::Ring ring() const;
  [[nodiscard]] const std::string& mode() const { return mode_; }

 private:
  std::string mode_;
  std::map<std::string, std::string> values_;
};

[[noreturn]] void give_up(const std::string& why);

}  // namespace ringside::bench
