// Asks a running sidecar's admin port. Blocking; for commands only.
#pragma once

#include <chrono>
#include <string>

#include "config/base/error.h"
#include "config/settings.h"

namespace ringside::cli {

struct AdminAnswer {
  int status = 0;
  std::string body;
};

// kUnavailable when nobody answers there; the message says what to try.
Result<AdminAnswer> ask_admin(const config::Address& admin, const std::string& path,
                              milliseconds timeout = milliseconds{5000});
// The same by POST, and by DELETE, without a body.
Result<AdminAnswer> tell_admin(const config::Address& admin, const std::string& path,
                               milliseconds timeout);
Result<AdminAnswer> tell_admin_to_undo(const config::Address& admin, const std::string& path,
                                       milliseconds timeout);

}  // namespace ringside::cli
