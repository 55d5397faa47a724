// How many file descriptors this process may have open: the soft limit is raised to the hard one.
//
// A shell's soft limit is 1,024, kept low for programs that use select(); callers (10,000 per
// worker) and idle connections to hosts (16,384 per worker) need more, and nothing here uses
// select(). What `exec` starts gets the limit back that we were given (child_process.h).
//
// Used by App once, before anything is opened. Failure paths: a limit that cannot be read or raised
// stays what it is; raise_descriptor_limit() says what counts in the end.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <string>

namespace ringside::app {

struct DescriptorLimit {
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

// Below it a busy sidecar runs out: that is worth a warning.
inline constexpr std::uint64_t kFewDescriptors = 4'096;

// The limit from now on.
DescriptorLimit raise_descriptor_limit();

// What to say about a limit that is small; empty for one that is not.
std::string few_descriptors(const DescriptorLimit& limit);

}  // namespace ringside::app
