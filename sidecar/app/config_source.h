// Where the settings come from: a file (with --set), or the command line alone; and whether the
// file has changed.
//
// Used by the command line (run, check) and by App (reload). Blocking reads of one small file. Any
// one thread.
#pragma once

#include <cstdint>
#include <string>

#include "config/yaml_reader.h"

namespace ringside::app {

class ConfigSource {
 public:
  explicit ConfigSource(std::string path, std::vector<config::Override> overrides = {});
  explicit ConfigSource(config::CommandLine command_line);

  // A file that cannot be read is one problem without a line.
  [[nodiscard]] config::ReadResult read();
  // The file is another than at the last read(). False while it cannot be looked at (an editor may
  // be about to put it back), and always without a file.
  [[nodiscard]] bool changed() const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Stamp {
    std::int64_t modified_ns = 0;
    std::uint64_t size = 0;
    std::uint64_t inode = 0;
    bool operator==(const Stamp&) const = default;
  };
  [[nodiscard]] Stamp stamp() const;

  std::string path_;
  config::CommandLine command_line_;
  Stamp read_at_;
};

}  // namespace ringside::app
