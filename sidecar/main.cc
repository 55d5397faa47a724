// The program. A standard stream that whoever started it has closed is /dev/null: else the next
// file or socket of ours had its number, and the log would be written into that.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

#include "sidecar/cli/command_line.h"

namespace {

void open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) == -1 && errno == EBADF) {
      static_cast<void>(::open("/dev/null", O_RDWR));  // takes the lowest number: this one
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_streams();
  return ringside::cli::run(argc, argv);
}
