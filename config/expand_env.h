// ${VAR} and ${VAR:-default} inside a YAML value. What comes out is data: it is never read as YAML
// again.
//
// Used by the YAML reader after parsing. Pure: the environment is a function. As in a shell, `:-`
// takes the default when VAR is unset or empty; ${VAR} alone must be set, and may be empty. `$${`
// writes a plain `${`. Nothing is expanded twice, and a default holds no further ${…}.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/error.h"

namespace ringside::config {

using EnvLookup = std::function<std::optional<std::string>(std::string_view)>;

// Longest expanded value.
inline constexpr std::size_t kMaxExpandedBytes = 64 * 1024;

// The error's message names the variable and what to do.
Result<std::string> expand_env(std::string_view text, const EnvLookup& env);

}  // namespace ringside::config
