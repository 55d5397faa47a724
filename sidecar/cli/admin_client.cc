#include "sidecar/cli/admin_client.h"

#include <fmt/format.h>
#include <httplib.h>

namespace ringside::cli {

namespace {

Result<AdminAnswer> answer_of(const config::Address& admin, const httplib::Result& result) {
  if (!result) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("no sidecar answers at {} ({}): is it running, and is --admin right?",
                            admin.to_string(), httplib::to_string(result.error())));
  }
  return AdminAnswer{result->status, result->body};
}

httplib::Client client_of(const config::Address& admin, milliseconds timeout) {
  httplib::Client client(admin.host, admin.port);
  client.set_connection_timeout(timeout);
  client.set_read_timeout(timeout);
  return client;
}

}  // namespace

Result<AdminAnswer> ask_admin(const config::Address& admin, const std::string& path,
                              milliseconds timeout) {
  return answer_of(admin, client_of(admin, timeout).Get(path.c_str()));
}

Result<AdminAnswer> tell_admin(const config::Address& admin, const std::string& path,
                               milliseconds timeout) {
  return answer_of(admin, client_of(admin, timeout).Post(path.c_str()));
}

Result<AdminAnswer> tell_admin_to_undo(const config::Address& admin, const std::string& path,
                                       milliseconds timeout) {
  return answer_of(admin, client_of(admin, timeout).Delete(path.c_str()));
}

}  // namespace ringside::cli
