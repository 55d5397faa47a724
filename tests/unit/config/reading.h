// What the tests of the reader share: files, a fixed environment, problems as text.
#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "config/yaml_reader.h"

namespace ringside::config {

inline std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file.good(), path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline EnvLookup environment(std::map<std::string, std::string> values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(std::string(name));
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

inline ReadResult read_text(const std::string& yaml, const std::vector<Override>& overrides = {},
                            const EnvLookup& env = environment({})) {
  return read_settings(as_bytes(yaml), "f.yaml", env, overrides);
}

// Every problem on a line; "" when the text is fine.
inline std::string problems(const ReadResult& result) {
  std::string out;
  if (!result) {
    for (const Problem& problem : result.error()) {
      out += problem.to_string() + "\n";
    }
  }
  return out;
}

inline std::string problems_of(const std::string& yaml) {
  return problems(read_text(yaml));
}

}  // namespace ringside::config
