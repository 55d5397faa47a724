#include "tests/sim/faults.h"

#include <utility>

namespace ringside::sim {

void Faults::plan(std::size_t count, Instant from, Instant until) {
  for (std::size_t i = 0; i < count; ++i) {
    const Instant when = from + Duration(rng_.between(0, (until - from).count()));
    queue_.at(when, [this, generation = generation_] {
      if (generation == generation_) {
        ++begun_;
        strike();
      }
    });
  }
}

void Faults::lasting(Duration how_long, Undo undo) {
  ++active_;
  queue_.after(how_long, [this, undo = std::move(undo), generation = generation_] {
    if (generation == generation_) {
      --active_;
      undo();
    }
  });
}

SimMember& Faults::any() {
  return *members_[rng_.below(members_.size())];
}

SimMember& Faults::leader_or_any() {
  for (const auto& member : members_) {
    if (member->up() && member->driver().status().role == coord::Role::kLeading) {
      return *member;
    }
  }
  return any();
}

void Faults::strike() {
  switch (rng_.below(27)) {
    case 0:
    case 1: crash(any(), rng_.chance(0.6)); break;
    case 2:
    case 3: crash(leader_or_any(), rng_.chance(0.6)); break;
    case 4: crash_everyone(); break;
    case 5:
    case 6: partition(); break;
    case 7:
    case 8: isolate(); break;
    case 9: one_way(); break;
    case 10: flap(); break;
    case 11:
    case 12: pause(); break;
    case 13: clock(); break;
    case 14: slow_disk(); break;
    case 15: failing_disk(); break;
    case 16: lost_disk(); break;
    case 17: leader_or_any().hand_over(); break;
    case 18:
    case 19: noise(); break;
    case 20: slow_network(); break;
    case 21: wall_clock(); break;
    case 22: isolate(); break;
    case 23:
    case 24: full_disk(); break;
    case 25: failing_side(); break;
    default: crash(leader_or_any(), true);
  }
}

void Faults::crash(SimMember& victim, bool power) {
  if (!victim.up()) {
    return;
  }
  victim.crash(power);
  lasting(some_time(), [&victim] {
    if (!victim.up()) {
      victim.start();
    }
  });
}

void Faults::crash_everyone() {
  const bool power = rng_.chance(0.8);
  for (const auto& member : members_) {
    crash(*member, power);
  }
}

void Faults::partition() {
  std::vector<bool> side;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    side.push_back(rng_.chance(0.5));
  }
  const auto set = [this, side](bool blocked) {
    trace_.say("partition {}", blocked ? "begins" : "ends");
    for (std::size_t a = 0; a < members_.size(); ++a) {
      for (std::size_t b = 0; b < members_.size(); ++b) {
        if (side[a] != side[b]) {
          network_.set_blocked(members_[a]->id(), members_[b]->id(), blocked);
        }
      }
    }
  };
  set(true);
  lasting(some_time(), [set] { set(false); });
}

void Faults::isolate() {
  const MemberId victim = leader_or_any().id();
  const auto set = [this, victim](bool blocked) {
    trace_.say("member {} is {}", victim.value, blocked ? "isolated" : "back on the network");
    for (const auto& other : members_) {
      if (other->id() != victim) {
        network_.set_blocked(victim, other->id(), blocked);
        network_.set_blocked(other->id(), victim, blocked);
      }
    }
  };
  set(true);
  lasting(some_time(), [set] { set(false); });
}

void Faults::one_way() {
  const MemberId from = leader_or_any().id();
  const MemberId to = any().id();
  const bool reverse = rng_.chance(0.5);
  const MemberId a = reverse ? to : from;
  const MemberId b = reverse ? from : to;
  if (a == b) {
    return;
  }
  trace_.say("nothing passes from {} to {}", a.value, b.value);
  network_.set_blocked(a, b, true);
  lasting(some_time(), [this, a, b] { network_.set_blocked(a, b, false); });
}

void Faults::flap() {
  const auto a = rng_.below(members_.size());
  const auto b = (a + 1 + rng_.below(members_.size() - 1)) % members_.size();
  const MemberId first = members_[a]->id();
  const MemberId second = members_[b]->id();
  trace_.say("the link {}-{} flaps", first.value, second.value);
  for (int i = 0; i < 6; ++i) {
    lasting(milliseconds(rng_.between(0, 2500)),
            [this, first, second] { network_.break_link(first, second); });
  }
}

void Faults::noise() {
  const MemberId one = leader_or_any().id();
  const double chance = 0.005 + 0.05 * rng_.unit();
  const auto set = [this, one](double now) {
    trace_.say("frames from and to member {} are {}", one.value,
               now > 0 ? "mishandled" : "handled well again");
    for (const auto& other : members_) {
      if (other->id() != one) {
        network_.set_noise(one, other->id(), now);
        network_.set_noise(other->id(), one, now);
      }
    }
  };
  set(chance);
  lasting(some_time(), [set] { set(0); });
}

void Faults::slow_network() {
  const std::int64_t most = rng_.between(2, 150);
  trace_.say("the network takes up to {} ms", most);
  network_.set_latency(milliseconds(1), milliseconds(most));
  lasting(some_time(), [this] { network_.set_usual_latency(); });
}

void Faults::pause() {
  const Duration how_long = milliseconds(rng_.between(50, 4000));
  (rng_.chance(0.5) ? leader_or_any() : any()).pause(how_long);
  lasting(how_long, [] {});
}

void Faults::clock() {
  SimMember& victim = any();
  const double rate = 0.93 + 0.14 * rng_.unit();
  trace_.say("the clock of member {} runs at {:.3f}", victim.id().value, rate);
  victim.set_clock_rate(rate);
}

void Faults::wall_clock() {
  SimMember& victim = any();
  const milliseconds by(rng_.between(-86'400'000, 86'400'000));
  trace_.say("the wall clock of member {} jumps by {} ms", victim.id().value, by.count());
  victim.jump_wall_clock(by);
}

void Faults::slow_disk() {
  SimMember& victim = leader_or_any();
  trace_.say("the disk of member {} is slow", victim.id().value);
  victim.disk().set_slow(true);
  lasting(some_time(), [&victim] { victim.disk().set_slow(false); });
}

void Faults::failing_disk() {
  SimMember& victim = any();
  if (!victim.up() || !victim.voter()) {
    return;
  }
  trace_.say("the disk of member {} is going to fail", victim.id().value);
  victim.disk().fail_next();
  restart_if_fenced(victim);
}

void Faults::full_disk() {
  SimMember& victim = leader_or_any();
  if (!victim.voter()) {
    return;
  }
  trace_.say("the disk of member {} is full", victim.id().value);
  victim.disk().set_full(true);
  lasting(some_time(), [this, &victim] {
    trace_.say("there is room on the disk of member {}", victim.id().value);
    victim.disk().set_full(false);
  });
}

void Faults::failing_side() {
  SimMember& victim = any();
  trace_.say("what member {} writes beside the log next is going to fail", victim.id().value);
  victim.disk().fail_next_side();
  restart_if_fenced(victim);
}

void Faults::restart_if_fenced(SimMember& victim) {
  lasting(some_time(), [&victim, this] {
    if (victim.fenced_out()) {
      victim.crash(rng_.chance(0.5));
      victim.start();
    }
  });
}

bool Faults::may_lose_a_disk() {
  if (lost_ == nullptr) {
    return true;
  }
  if (!lost_->up() || lost_->fenced_out() || lost_->driver().status().in_doubt) {
    return false;
  }
  // In the history again: established or following since.
  const auto status = lost_->driver().status();
  return status.leader.has_value() && status.quorum;
}

void Faults::lost_disk() {
  SimMember& victim = any();
  if (!victim.up() || !victim.voter() || !may_lose_a_disk()) {
    return;
  }
  victim.crash(true);
  const char* what = "wiped";
  if (rng_.chance(0.35) && victim.disk().damage()) {
    what = "damaged";
  } else if (rng_.chance(0.4) && victim.disk().vanish()) {
    what = "short of a file";
  } else {
    victim.disk().wipe();
  }
  trace_.say("the disk of member {} is {}", victim.id().value, what);
  lost_ = &victim;
  lasting(some_time(), [&victim] {
    if (!victim.up()) {
      victim.start();
    }
  });
}

bool Faults::lose_disk(SimMember& victim, Duration back_after) {
  if (!victim.up() || !may_lose_a_disk()) {
    return false;
  }
  victim.crash(true);
  victim.disk().wipe();
  trace_.say("the disk of member {} is wiped", victim.id().value);
  lost_ = &victim;
  lasting(back_after, [&victim] {
    if (!victim.up()) {
      victim.start();
    }
  });
  return true;
}

void Faults::heal_all() {
  trace_.say("everything heals");
  ++generation_;
  active_ = 0;
  network_.heal();
  for (const auto& member : members_) {
    member->disk().set_slow(false);
    member->disk().set_full(false);
    member->disk().will_not_fail();
    member->set_clock_rate(1);
    if (member->fenced_out() || member->disk().failed()) {
      member->crash(false);
    }
    if (!member->up()) {
      member->start();
    }
  }
}

}  // namespace ringside::sim
