// The admin API's JSON as text for people. Pure; nullopt for JSON that is not what the API answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ringside::cli {

std::optional<std::string> status_table(std::string_view json);
std::optional<std::string> services_table(std::string_view json);
std::optional<std::string> endpoints_table(std::string_view json);
// Of /v1/ring/recover: what it would do with its warning, or has done.
std::optional<std::string> recovery_text(std::string_view json);
// Of an answer that it has done: why the sidecar does not go by it yet; nullopt: it does.
std::optional<std::string> recovery_unfinished(std::string_view json);
std::optional<std::string> ring_table(std::string_view json);

}  // namespace ringside::cli
