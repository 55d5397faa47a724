// What the command line makes of its arguments and of the admin API's answers, without doing
// anything. Pure. Answers come from whoever listens on --admin: any bytes, which never reach the
// terminal as control characters.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sidecar/cli/admin_client.h"

namespace ringside::cli {

// The commands of the product that this version does not have: the name to refuse, or nothing.
// `arguments` without the program's name.
std::optional<std::string> later_command(std::span<const std::string_view> arguments);

// Where the admin API answers a query; `service` for `endpoints` only.
std::string path_of(std::string_view query, std::string_view service);
// The answer to a query as text for people; nullopt for what is not the admin API's.
std::optional<std::string> as_table(std::string_view query, std::string_view json);

// The text of an error answer: its error and hint, or the whole body.
std::string error_text(const AdminAnswer& answer);
// Of /readyz: what is missing, in words.
std::string not_ready_reason(const AdminAnswer& answer);
// Of /v1/status: this sidecar's own service is in the registry.
bool registered(std::string_view status_json);

// Of /v1/drain.
struct DrainSaid {
  std::string state;    // serving, draining, drained
  std::string waiting;  // while draining: for what, in words
};
// nullopt for what is not the admin API's.
std::optional<DrainSaid> drain_said(std::string_view drain_json);

}  // namespace ringside::cli
