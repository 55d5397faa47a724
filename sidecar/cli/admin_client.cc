#include "sidecar/cli/admin_client.h"

#include <fmt/format.h>
#include <httplib.h>

namespace ringside::cli {

Result<AdminAnswer> ask_admin(const config::Address& admin, const std::string& path,
                              milliseconds timeout) {
  httplib::Client client(admin.host, admin.port);
  client.set_connection_timeout(timeout);
  client.set_read_timeout(timeout);
  const auto result = client.Get(path.c_str());
  if (!result) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("no sidecar answers at {} ({}): is it running, and is --admin right?",
                            admin.to_string(), httplib::to_string(result.error())));
  }
  return AdminAnswer{result->status, result->body};
}

}  // namespace ringside::cli
