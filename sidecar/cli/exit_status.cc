#include "sidecar/cli/exit_status.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

namespace ringside::cli {

void say(const std::string& message) {
  std::fprintf(stderr, "ringside: %s\n", message.c_str());
}

int complain(int status, const std::string& message) {
  say(message);
  return status;
}

int written(int status) {
  errno = 0;
  std::cout.flush();  // CLI11's help goes there, on to stdout
  const bool good = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (good || status != kDone) {
    return status;
  }
  return complain(kFailed, std::string("cannot write to standard output: ") + std::strerror(errno));
}

}  // namespace ringside::cli
