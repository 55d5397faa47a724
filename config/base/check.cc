#include "config/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace ringside {

namespace {

void print_and_abort(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "ringside: broken invariant at %s:%d: %s\n", file, line, condition);
  std::fflush(stderr);
  std::abort();
}

CheckHandler g_handler = print_and_abort;

}  // namespace

CheckHandler set_check_handler(CheckHandler handler) {
  CheckHandler before = g_handler;
  g_handler = handler;
  return before;
}

void check_failed(const char* file, int line, const char* condition) {
  g_handler(file, line, condition);
  std::abort();
}

}  // namespace ringside
