// How commands end (product.md, "Command line"), and how they say why.
//
// Used by the commands, on the program's only thread.
#pragma once

#include <string>

namespace ringside::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;  // or bad configuration

// A line on stderr.
void say(const std::string& message);
// The same; gives `status` back.
int complain(int status, const std::string& message);
// What was printed must have arrived: else kDone becomes kFailed, and it is said why.
int written(int status);

}  // namespace ringside::cli
