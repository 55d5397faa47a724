// --set KEY=VALUE and the other parts of a command line, laid over the tree that a file gave,
// before anything is read from it.
//
// Used by yaml_reader and the command line. Pure, any thread. What is set so goes through the same
// schema and checks as the file; problems with it name the option instead of a line. A later one
// wins over an earlier one.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/error.h"
#include "config/yaml_tree.h"

namespace ringside::config {

struct Override {
  std::string key;    // dotted: upstreams.payments.balance
  std::string value;  // a plain value as it stands, or YAML where it begins with [, { or a quote
};

// Reads KEY=VALUE.
Result<Override> parse_override(std::string_view text);

// Puts the value into the tree in place of what is there. `option` is how problems name it ("--set
// proxy.outbound"); kept alive in `sources`, which outlives the tree and its places.
void apply_override(const Override& override, std::string option, Node& root,
                    std::deque<std::string>& sources, Report& report);

}  // namespace ringside::config
