// Faults that choose their moment: right after a member said something that the protocol rests on,
// or was the first to deliver a transaction. What goes wrong between two steps of the protocol goes
// wrong within milliseconds, which faults at random times would seldom meet.
//
// An ambush is laid at a random time; those that wait for a word of elections also make one happen.
// Once sprung, another one may lie right behind it: two faults close together are what most known
// bugs took.
//
// Of a kind of its own is the turncoat (D16): a leader is cut off, the others elect another one and
// tell of something, and then one of them loses its disk and comes back to the old leader alone,
// which does not know yet that it is deposed.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tests/sim/faults.h"

namespace ringside::sim {

class Ambush {
 public:
  Ambush(EventQueue& queue, Trace& trace, Network& network,
         std::vector<std::unique_ptr<SimMember>>& members, Faults& faults, Rng rng)
      : queue_(queue),
        trace_(trace),
        network_(network),
        members_(members),
        faults_(faults),
        rng_(rng) {}

  // Lays `count` of them between the two instants, and in many runs a turncoat.
  void plan(std::size_t count, Instant from, Instant until);
  void stop();

  // What happens in the ring; may come from within a driver's call.
  void sent(SimMember& from, MemberId to, std::size_t message);
  void delivered_first(SimMember& member);

 private:
  void lay(bool first);
  void make_election();
  void cut_off(SimMember& victim);
  void lay_turncoat();
  void turn();
  void slow_disks();
  void spring(MemberId from, MemberId to);
  void strike(MemberId from, MemberId to);
  SimMember& member(MemberId id);
  SimMember* leader();

  EventQueue& queue_;
  Trace& trace_;
  Network& network_;
  std::vector<std::unique_ptr<SimMember>>& members_;
  Faults& faults_;
  Rng rng_;
  bool stopped_ = false;
  std::optional<std::size_t> waits_for_;  // a message, or kDelivery
  std::size_t skip_ = 0;                  // so many of them pass first
  std::optional<MemberId> deposed_;       // waits for a turncoat
};

}  // namespace ringside::sim
