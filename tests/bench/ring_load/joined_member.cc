#include "tests/bench/ring_load/joined_member.h"

#include <fmt/format.h>

#include <utility>

#include "tests/bench/ring_load/arguments.h"

namespace ringside::bench {

JoinedMember::JoinedMember(net::Loop& loop, const config::Ring& settings)
    : member_(loop, settings, *this) {
  if (const Status started = member_.start(nullptr); !started) {
    give_up(started.error().message);
  }
}

void JoinedMember::write(coord::SessionId session, std::vector<coord::WriteOp> ops,
                         discovery::RegistryClient::ReplyHandler on_reply) {
  member_.submit(coord::Request{session, coord::Multi{std::move(ops)}}, std::move(on_reply));
}

bool JoinedMember::joined() const {
  const auto status = member_.status();
  return status.quorum && status.leader.has_value() && status.role != coord::Role::kLooking;
}

void JoinedMember::ring_changed(std::span<const coord::Change> /*changes*/) {}

void JoinedMember::ring_reloaded() {}

void JoinedMember::ring_moved() {}

void JoinedMember::ring_log(coord::LogSeverity severity, const std::string& message) {
  if (severity == coord::LogSeverity::kError) {
    fmt::print(stderr, "bench_ring: {}\n", message);
  }
}

void turn_until(net::Loop& loop, const std::function<bool()>& condition, seconds limit,
                const char* what) {
  net::Timer wake(loop, [] {});
  wake.start_repeating(milliseconds{10});
  const Instant end = loop.now() + limit;
  while (!condition()) {
    if (loop.now() >= end) {
      give_up(fmt::format("not within {} s: {}", limit.count(), what));
    }
    loop.turn(true);
  }
}

void leave(net::Loop& loop, JoinedMember& member) {
  bool over = false;
  member.ring().stop([&over] { over = true; });
  turn_until(loop, [&over] { return over; }, seconds{30}, "links and disk are closed");
}

}  // namespace ringside::bench
