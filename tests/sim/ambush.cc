#include "tests/sim/ambush.h"

#include <array>
#include <utility>
#include <variant>

#include "tests/sim/message_kind.h"

namespace ringside::sim {

namespace {

constexpr std::size_t kDelivery = std::variant_size_v<coord::Message>;

// Words of an election and of what follows it...
constexpr std::array kOfElections{kind<coord::LeaderInfo>(),   kind<coord::AckEpoch>(),
                                  kind<coord::SyncStart>(),    kind<coord::NewLeader>(),
                                  kind<coord::AckNewLeader>(), kind<coord::AckNewLeader>(),
                                  kind<coord::AckNewLeader>(), kind<coord::UpToDate>()};
// ...and of every day.
constexpr std::array kOfBroadcast{kind<coord::Proposal>(), kind<coord::Ack>(), kDelivery, kDelivery,
                                  kDelivery};

template <std::size_t size>
std::size_t one_of(Rng& rng, const std::array<std::size_t, size>& choices) {
  return choices.at(rng.below(size));
}

}  // namespace

void Ambush::plan(std::size_t count, Instant from, Instant until) {
  for (std::size_t i = 0; i < count; ++i) {
    const Instant when = from + Duration(rng_.between(0, (until - from).count()));
    queue_.at(when, [this] { lay(true); });
  }
  if (rng_.chance(0.5)) {
    const Instant when = from + Duration(rng_.between(0, (until - from).count()));
    queue_.at(when, [this] { lay_turncoat(); });
  }
}

void Ambush::stop() {
  stopped_ = true;
  waits_for_.reset();
  deposed_.reset();
}

void Ambush::lay(bool first) {
  if (stopped_) {
    return;
  }
  if (rng_.chance(0.4)) {
    slow_disks();
  }
  if (rng_.chance(first ? 0.6 : 0.8)) {
    waits_for_ = one_of(rng_, kOfElections);
    if (first) {
      make_election();
    }
  } else {
    waits_for_ = one_of(rng_, kOfBroadcast);
  }
  skip_ = rng_.below(4);
}

SimMember& Ambush::member(MemberId id) {
  for (const auto& one : members_) {
    if (one->id() == id) {
      return *one;
    }
  }
  violate("no member {}", id.value);
}

SimMember* Ambush::leader() {
  for (const auto& one : members_) {
    if (one->serving() && one->driver().status().role == coord::Role::kLeading) {
      return one.get();
    }
  }
  return nullptr;
}

void Ambush::make_election() {
  SimMember* const victim = leader();
  if (victim == nullptr) {
    return;
  }
  switch (rng_.below(4)) {
    case 0: faults_.crash(*victim, rng_.chance(0.5)); break;
    case 1: victim->hand_over(); break;
    case 2: cut_off(*victim); break;
    default:
      for (const auto& other : members_) {
        if (other->id() != victim->id()) {
          network_.break_link(victim->id(), other->id());
        }
      }
  }
}

// All its links break, and for a while there are no others: the rest elects another leader at once,
// while it waits for a quorum that has left it.
void Ambush::cut_off(SimMember& victim) {
  trace_.say("member {} is cut off", victim.id().value);
  for (const auto& other : members_) {
    if (other->id() != victim.id()) {
      network_.break_link(victim.id(), other->id());
    }
  }
  network_.set_unplugged(victim.id(), true);
  faults_.lasting(milliseconds(rng_.between(200, 3000)),
                  [this, id = victim.id()] { network_.set_unplugged(id, false); });
}

void Ambush::lay_turncoat() {
  SimMember* const victim = stopped_ ? nullptr : leader();
  if (victim != nullptr) {
    cut_off(*victim);
    deposed_ = victim->id();
  }
}

void Ambush::turn() {
  if (!deposed_) {
    return;
  }
  std::vector<SimMember*> turncoats;
  bool replaced = false;
  for (const auto& one : members_) {
    if (one->id() == *deposed_ || !one->serving() || !one->voter()) {
      continue;
    }
    if (one->driver().status().role == coord::Role::kLeading) {
      replaced = true;
    } else {
      turncoats.push_back(one.get());
    }
  }
  if (!replaced || turncoats.empty()) {
    return;  // that was still of the old reign
  }
  const MemberId old_leader = *std::exchange(deposed_, std::nullopt);
  SimMember& turncoat = *turncoats[rng_.below(turncoats.size())];
  if (!faults_.lose_disk(turncoat, milliseconds(rng_.between(5, 60)))) {
    return;
  }
  trace_.say("member {} comes back to {} alone", turncoat.id().value, old_leader.value);
  const auto set = [this, old_leader, id = turncoat.id()](bool blocked) {
    for (const auto& other : members_) {
      if (other->id() != old_leader && other->id() != id) {
        for (const MemberId apart : {old_leader, id}) {
          network_.set_blocked(apart, other->id(), blocked);
          network_.set_blocked(other->id(), apart, blocked);
        }
      }
    }
  };
  set(true);
  network_.set_unplugged(old_leader, false);
  faults_.lasting(milliseconds(rng_.between(500, 3000)), [set] { set(false); });
}

void Ambush::slow_disks() {
  for (const auto& one : members_) {
    if (rng_.chance(0.5)) {
      one->disk().set_slow(true);
      faults_.lasting(faults_.some_time(), [&disk = one->disk()] { disk.set_slow(false); });
    }
  }
}

void Ambush::sent(SimMember& from, MemberId to, std::size_t message) {
  if (waits_for_ == message) {
    spring(from.id(), to);
  }
}

void Ambush::delivered_first(SimMember& member) {
  if (waits_for_ == kDelivery) {
    spring(member.id(), members_[rng_.below(members_.size())]->id());
  }
  if (deposed_ && member.id() != *deposed_) {
    queue_.after(Duration{}, [this] { turn(); });
  }
}

void Ambush::spring(MemberId from, MemberId to) {
  if (skip_ > 0) {
    --skip_;
    return;
  }
  waits_for_.reset();
  Duration delay{};
  if (rng_.chance(0.7)) {
    delay = microseconds(rng_.between(0, rng_.chance(0.6) ? 3'000 : 60'000));
  }
  queue_.after(delay, [this, from, to] {
    if (!stopped_) {
      strike(from, to);
    }
  });
}

void Ambush::strike(MemberId from, MemberId to) {
  trace_.say("an ambush for members {} and {}", from.value, to.value);
  const bool power = rng_.chance(0.7);
  switch (rng_.below(7)) {
    case 0: faults_.crash(member(from), power); break;
    case 1: faults_.crash(member(to), power); break;
    case 2:
      faults_.crash(member(from), power);
      faults_.crash(member(to), power);
      break;
    case 3:
      for (const auto& one : members_) {
        faults_.crash(*one, power);
      }
      break;
    case 4:
      if (from != to) {
        network_.break_link(from, to);
      }
      break;
    case 5: {  // all but one
      const auto spared = rng_.below(members_.size());
      for (std::size_t i = 0; i < members_.size(); ++i) {
        if (i != spared) {
          faults_.crash(*members_[i], power);
        }
      }
      break;
    }
    default:
      if (SimMember* const victim = leader()) {
        faults_.crash(*victim, power);
      }
  }
  if (rng_.chance(0.6)) {
    lay(false);
  }
}

}  // namespace ringside::sim
