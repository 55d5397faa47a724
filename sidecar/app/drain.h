// Takes this instance out of use while it still serves: its entry says `draining`, and then nobody
// sends here any more once every living sidecar has routed that. By `POST /v1/drain` it may be
// undone; by a stop (Shutdown) it is the way out.
//
// clang-format off
//                begin                 acknowledged, and nothing under way
//   kServing ───────────▶ kDraining ─────────────────────────────────────▶ kDrained
//      ▲                      │                                               │
//      └──────── undo ────────┴───────────────────────────────────────────────┘
// clang-format on
//
// Acknowledged: every living sidecar has routed the change (discovery::Acknowledgement); or no
// entry of ours was ever to be seen; or, without a quorum, the ring has not answered for
// drain.settle, or had no other sidecar when it answered last. Owned by App, on the control loop's
// thread; pure but for what it asks of registrar and ring: time comes in.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/base/time.h"
#include "sidecar/discovery/acknowledgement.h"
#include "sidecar/discovery/registrar.h"

namespace ringside::app {

class Drain {
 public:
  enum class State { kServing, kDraining, kDrained };
  // Even where drain.settle is less: the ring needs a moment to answer at all.
  static constexpr milliseconds kLeastSilence{1000};
  // Between two lines of the log that say who is behind.
  static constexpr milliseconds kTellEvery{1000};

  struct Ports {
    std::function<void(const std::string&)> log;
    // How people know the sidecar: its member, address, instance.
    std::function<std::string(const coord::SidecarBehind&)> name;
  };

  // `registrar` null: no service, so that nobody sends anything here.
  Drain(discovery::RegistryClient& client, discovery::Registrar* registrar, Ports ports);

  // Both idempotent.
  void begin(Instant now);
  void undo(Instant now);
  struct World {
    milliseconds settle{5000};   // drain.settle
    std::int64_t in_flight = 0;  // exchanges of the inbound port
    bool alone = false;          // the ring does not answer, and no other sidecar lived in it
  };
  void tick(Instant now, const World& world);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool on() const { return state_ != State::kServing; }
  // The ring has the entry as draining, or there is none.
  [[nodiscard]] bool announced() const;
  [[nodiscard]] bool acknowledged() const { return acknowledged_; }
  [[nodiscard]] Instant since() const { return since_; }  // of the state
  [[nodiscard]] std::optional<coord::Zxid> zxid() const { return asking_.zxid(); }
  [[nodiscard]] const std::vector<coord::SidecarBehind>& behind() const { return asking_.behind(); }
  // What it waits for, or went by, in a sentence; empty: nothing to say.
  [[nodiscard]] const std::string& detail() const { return detail_; }

 private:
  void await(Instant now, const World& world);
  void acknowledge(const std::string& how);
  void tell_behind(Instant now);
  void enter(State state, Instant now);

  discovery::Registrar* registrar_;
  discovery::Acknowledgement asking_;
  Ports ports_;
  State state_ = State::kServing;
  bool acknowledged_ = false;
  Instant since_{};
  Instant begun_{};
  Instant told_at_{};
  std::string detail_;
};

}  // namespace ringside::app
