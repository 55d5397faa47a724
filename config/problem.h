// One thing wrong with a configuration, and where it was written.
#pragma once

#include <string>
#include <string_view>

namespace ringside::config {

struct Problem {
  std::string file;  // or the part of the command line: "--set proxy.outbound"
  int line = 1;      // from 1; 0 where the source has no lines (command line)
  int column = 1;    // from 1, in bytes
  std::string message;

  bool operator==(const Problem&) const = default;
  // file:line:column: message
  [[nodiscard]] std::string to_string() const;
};

// Where a key or value was written. `source` outlives the place: it is a file name or a part of the
// command line.
struct Place {
  std::string_view source;
  int line = 1;
  int column = 1;
};

}  // namespace ringside::config
