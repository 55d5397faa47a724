// The `ringside` command: reads the arguments, does what they ask, returns the exit status (0 done,
// 1 failed, 2 wrong usage or bad configuration).
#pragma once

namespace ringside::cli {

int run(int argc, char** argv);

}  // namespace ringside::cli
