#include "sidecar/cli/exit_status.h"

#include <cstdio>

namespace ringside::cli {

void say(const std::string& message) {
  std::fprintf(stderr, "ringside: %s\n", message.c_str());
}

int complain(int status, const std::string& message) {
  say(message);
  return status;
}

}  // namespace ringside::cli
