// What goes wrong in a run, drawn from its seed: when, what, to whom and for how long.
//
// Bounds that the ring's promises rest on (D16): the disks of at most one voter are wiped or
// damaged until that voter has been synchronized again.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tests/sim/member.h"

namespace ringside::sim {

class Faults {
 public:
  Faults(EventQueue& queue, Trace& trace, Network& network,
         std::vector<std::unique_ptr<SimMember>>& members, Rng rng)
      : queue_(queue), trace_(trace), network_(network), members_(members), rng_(rng) {}

  // Draws `count` faults between the two instants.
  void plan(std::size_t count, Instant from, Instant until);
  // Everything is made well again; returns once all members are told to start.
  void heal_all();
  [[nodiscard]] bool active() const { return active_ > 0; }
  [[nodiscard]] std::size_t begun() const { return begun_; }

  // --- for faults that choose their moment themselves (ambush.h)
  using Undo = std::function<void()>;
  // Undone after a while, unless heal_all came first.
  void lasting(Duration how_long, Undo undo);
  Duration some_time() { return milliseconds(rng_.between(300, 6000)); }
  // Restarted after some time.
  void crash(SimMember& victim, bool power);
  // Its disk is empty when it comes back. False: not now.
  bool lose_disk(SimMember& victim, Duration back_after);

 private:
  void strike();
  SimMember& any();
  SimMember& leader_or_any();
  void crash_everyone();
  void partition();
  void isolate();
  void one_way();
  void flap();
  void noise();
  void slow_network();
  void pause();
  void clock();
  void wall_clock();
  void slow_disk();
  void failing_disk();
  void full_disk();
  void failing_side();
  void restart_if_fenced(SimMember& victim);
  void lost_disk();
  [[nodiscard]] bool may_lose_a_disk();

  EventQueue& queue_;
  Trace& trace_;
  Network& network_;
  std::vector<std::unique_ptr<SimMember>>& members_;
  Rng rng_;
  std::size_t active_ = 0;
  std::size_t begun_ = 0;
  std::uint64_t generation_ = 0;  // heal_all makes all that is under way void
  SimMember* lost_ = nullptr;     // whose disk was wiped or damaged, and is not known to be well
  std::uint64_t lost_run_ = 0;
};

}  // namespace ringside::sim
