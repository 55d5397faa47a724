// What bench_ring can do; each mode runs to its end and prints one line of key=value words
// (sessions: one every few seconds). Called by main.
#pragma once

#include "tests/bench/ring_load/arguments.h"

namespace ringside::bench {

// Creates `count` znodes of `bytes` below `under`, `batch` to a transaction.
void fill(const Arguments& arguments);
// A closed loop: `in_flight` writes at any time for `seconds`. A voter that leads hands over first,
// so that a follower is what is written through.
void closed_loop(const Arguments& arguments);
// An open loop: `per_second` writes for `seconds`, each timed from when it was due.
void open_loop(const Arguments& arguments);
// `count` observers, each with a session that it keeps alive and an ephemeral znode, for `seconds`.
void sessions(const Arguments& arguments);
// `count` endpoints of `services` services, each an ephemeral entry with a session of its own that
// is kept alive, until the program is ended.
void endpoints(const Arguments& arguments);
// What the disk under `dir` gives: write and fdatasync of `bytes` one after the other, and
// appending.
void disk_floor(const Arguments& arguments);

}  // namespace ringside::bench
