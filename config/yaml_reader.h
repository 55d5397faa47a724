// A YAML file, or a command line alone, to Settings: every problem at once, each with its place and
// what was expected.
//
// Called by sidecar/app (start and reload) and the command line (check). Pure: bytes in, values
// out; files are read and watched in sidecar/app, the environment is a function. Any thread. The
// bytes may be anything and never reach a CHECK.
//
// The way of a value: raw text (yaml_text) -> tree (yaml_tree, yaml-cpp) -> --set (override) ->
// ${VAR} (expand_env) -> the rows of the schema (read_block, schema) -> checks across keys
// (validate). A problem in one key does not hide those of others.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/bytes.h"
#include "config/expand_env.h"
#include "config/override.h"
#include "config/problem.h"
#include "config/settings.h"

namespace ringside::config {

using ReadResult = std::expected<Settings, std::vector<Problem>>;

// Problems are in the order of the file, then of the overrides; at least one when there are no
// settings.
ReadResult read_settings(ByteView yaml, std::string_view file_name, const EnvLookup& env,
                         std::span<const Override> overrides);

// `ringside run` without a file.
struct CommandLine {
  std::optional<std::string> service;  // --service NAME=HOST:PORT
  std::optional<std::string> voters;   // --voters ID@HOST:PORT,…
  std::vector<Override> overrides;     // --set KEY=VALUE
};
ReadResult settings_from(const CommandLine& command_line, const EnvLookup& env);

}  // namespace ringside::config
