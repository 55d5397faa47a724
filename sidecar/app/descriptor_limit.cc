#include "sidecar/app/descriptor_limit.h"

#include <fmt/format.h>

namespace ringside::app {

DescriptorLimit raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return {};
  }
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  if (limit.rlim_cur != limit.rlim_max && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
    limit = raised;
  }
  return {limit.rlim_cur, limit.rlim_max};
}

std::string few_descriptors(const DescriptorLimit& limit) {
  if (limit.soft >= kFewDescriptors) {
    return {};
  }
  return fmt::format(
      "only {} file descriptors are allowed, and each connection takes one: a busy sidecar needs "
      "{} "
      "or more; raise the hard limit (LimitNOFILE= of systemd, ulimit -Hn of a shell)",
      limit.soft, kFewDescriptors);
}

}  // namespace ringside::app
