// IdleLimit: for how long a connection may lie idle and still be used.
//
// One in each HostPool (per endpoint and worker), on its thread. Reads no clock. A server ends a
// connection that was idle for too long whenever it likes, and a request that crosses that end is
// lost or not, nobody knows; so a connection is used only while it is well within the time that
// this endpoint gives: what it announced (Keep-Alive), and what its closes showed.
//
// clang-format off
//   learned()   55 s until a close is seen; a close after t idle: at most 4/5 t, not under 10 ms
//   to_repeat   min(learned, 4/5 of the announced time)
//   once        min(learned, announced time less a fifth and at least 1 s; else 250 ms)
// clang-format on
//
// "Only once" is a request that must not be sent twice and that nobody would say "not processed"
// of (product.md, "Between sidecars"; RFC 9110, 9.2.2).
// One odd close (an app restarted) is not for ever: each connection that outlived learned() raises
// it by a sixteenth, never over 4/5 of what it lived. Invariant: kLeast <= learned() <= kMost.
#pragma once

#include <optional>

#include "config/base/time.h"

namespace ringside::proxy {

class IdleLimit {
 public:
  static constexpr Duration kMost = seconds{55};
  static constexpr Duration kLeast = milliseconds{10};
  static constexpr Duration kOnceUnannounced = milliseconds{250};

  [[nodiscard]] Duration learned() const { return learned_; }
  // The other side ended a connection that had been idle for `idle`.
  void closed_after(Duration idle);
  // One is open still after so long.
  void survived(Duration idle);

  // At most so long may a connection have been idle, of which its server announced `timeout`. Zero:
  // it is not to be used again.
  [[nodiscard]] Duration to_repeat(std::optional<seconds> timeout) const;
  [[nodiscard]] Duration once(std::optional<seconds> timeout) const;

 private:
  Duration learned_ = kMost;
};

}  // namespace ringside::proxy
