#include "sidecar/cli/command_line.h"

int main(int argc, char** argv) {
  return ringside::cli::run(argc, argv);
}
