// CHECK(condition): a broken invariant of ours ends the process, in every build. Crash beats
// divergence.
//
// Included by .cc files only (doctest has a CHECK of its own; tests/lint sees to it).
//
// Never for untrusted bytes or outside conditions: those are Errors (error.h). The failure handler
// may be replaced by a test or the simulator, which then must not return.
#pragma once

namespace ringside {

using CheckHandler = void (*)(const char* file, int line, const char* condition);

// Replaces what happens on a failed CHECK (default: one line to stderr, then abort); returns the
// handler before it.
CheckHandler set_check_handler(CheckHandler handler);

[[noreturn]] void check_failed(const char* file, int line, const char* condition);

}  // namespace ringside

#define CHECK(condition)                                        \
  do {                                                          \
    if (!(condition)) [[unlikely]] {                            \
      ::ringside::check_failed(__FILE__, __LINE__, #condition); \
    }                                                           \
  } while (false)
