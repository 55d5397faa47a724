// pick: which host takes this try; report: how it went.
//
// Called by sidecar/proxy on its worker's thread, for each try. No lock, no allocation, no
// reference count. Given one thread, the same table, Rng and times give the same picks.
//
// Rules
// 1. A Pick counts as in flight until released. Each Pick gets exactly one settle() (what the try
//    says about the host, to its breaker) and one release(); report() is both. PickGuard sees to
//    it. A response that may last (a stream, an upgrade) is best settled when its head is there.
// 2. The table that the upstream belongs to stays pinned (view.h) until then; for a call that may
//    last for days, until it is settled (PickGuard::let_table_go).
// 3. `tried` are hosts already used for this exchange: never picked again. Their pins are kept.
// 4. An open breaker is never overridden.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <utility>

#include "balancer/cause.h"
#include "balancer/upstream.h"
#include "balancer/view.h"
#include "config/base/rng.h"
#include "config/base/time.h"

namespace ringside::balancer {

struct PickContext {
  Instant now;
  Rng& rng;  // the worker's own
  std::span<const Host* const> tried{};
};

struct Pick {
  const Upstream* upstream = nullptr;
  const HostEntry* host = nullptr;
  BreakerStamp stamp;

  [[nodiscard]] bool probe() const { return stamp.probe; }
};

enum class PickFailure : std::uint8_t {
  kNoEndpoints,  // nobody there, or nobody healthy with panic_threshold 0
  kBreakerOpen,  // somebody not yet tried is there, but no breaker lets a call pass
  kAllTried,     // everybody there has been tried
};
const char* to_string(PickFailure failure);  // "no_endpoints", "breaker_open", "all_tried"

std::expected<Pick, PickFailure> pick(const Upstream& upstream, const PickContext& context);

// For a call that waited before it went out: its host's breaker has not opened meanwhile. Else the
// Pick is to be released, and another taken.
[[nodiscard]] bool still_admitted(const Pick& pick);

void settle(const Pick& pick, Outcome outcome, Duration took, Instant now);
void release(const Pick& pick);
void report(const Pick& pick, Outcome outcome, Duration took, Instant now);

// Owns one Pick: releases it when destroyed, as kNeutral if nobody settled it. Keeps its table
// pinned until destroyed or moved from.
class PickGuard {
 public:
  PickGuard() = default;
  PickGuard(const Pick& pick, Pin pin) : pick_(pick), pin_(std::move(pin)), held_(true) {}
  PickGuard(PickGuard&& other) noexcept { *this = std::move(other); }
  PickGuard& operator=(PickGuard&& other) noexcept;
  ~PickGuard() { finish(); }

  // True while the pick is in flight.
  [[nodiscard]] bool held() const { return held_; }
  [[nodiscard]] const Pick& get() const { return pick_; }  // also after finish(), until moved from

  // The first call counts, later ones do nothing; also when nothing is held.
  void settle(Outcome outcome, Duration took, Instant now);
  // For a settled call that goes on and on: holds its host alone from now on, so that it does not
  // keep an old table alive. get() gives an empty Pick afterwards. Before settle() it does nothing.
  void let_table_go();
  // The try is over: no longer in flight; kNeutral if not settled.
  void finish();
  void report(Outcome outcome, Duration took, Instant now) {
    settle(outcome, took, now);
    finish();
  }

 private:
  Pick pick_;
  Pin pin_;
  std::shared_ptr<Host> host_;  // once the table is gone
  bool held_ = false;
  bool settled_ = false;
};

}  // namespace ringside::balancer
