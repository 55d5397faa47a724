#include "coord/zab/member.h"

#include <algorithm>
#include <utility>

#include "config/base/check.h"
#include "coord/mutant.h"

namespace ringside::coord {

Zab::Zab(ZabOptions options, ZabStart start, Rng rng, Instant now)
    : core_(std::move(options), std::move(start), rng, now), hold_until_(now) {}

Zab::~Zab() = default;

Effects Zab::start() {
  core_.deliver_all();
  settle();
  return std::exchange(core_.effects, {});
}

Effects Zab::step(Instant now, Event event) {
  core_.now = std::max(core_.now, now);
  // Deadlines first: a leader that was paused must not act on what queued up meanwhile.
  if (auto* leading = std::get_if<Leading>(&state_)) {
    leading->on_tick();
    settle();
  }
  handle(event);
  settle();
  if (auto* leading = std::get_if<Leading>(&state_)) {
    leading->flush();
  } else if (auto* following = std::get_if<Following>(&state_)) {
    following->flush();
  }
  for (const Effect& effect : core_.effects) {
    serving_ = serving_ || std::holds_alternative<ReignBegan>(effect);
  }
  return std::exchange(core_.effects, {});
}

void Zab::handle(const Event& event) {
  auto* leading = std::get_if<Leading>(&state_);
  if (const auto* up = std::get_if<LinkUp>(&event)) {
    core_.peers[up->peer] = Peer{core_.now, core_.now, std::nullopt, false};
    Notification word = notification();
    word.wants_answer = role() == Role::kLooking;
    core_.send(up->peer, word);
  } else if (const auto* down = std::get_if<LinkDown>(&event)) {
    core_.peers.erase(down->peer);
    if (leading != nullptr) {
      leading->on_link_down(down->peer);
    } else if (auto* following = std::get_if<Following>(&state_)) {
      following->on_link_down(down->peer);
    }
  } else if (const auto* received = std::get_if<Received>(&event)) {
    on_received(*received);
  } else if (const auto* persisted = std::get_if<Persisted>(&event)) {
    on_persisted(*persisted);
  } else if (std::holds_alternative<Tick>(event)) {
    if (auto* following = std::get_if<Following>(&state_)) {
      following->on_tick();
      following->go_on();
    } else if (auto* election = std::get_if<Election>(&state_)) {
      election->on_tick();
    } else if (leading != nullptr) {
      leading->go_on();
    }
  } else if (const auto* propose = std::get_if<Propose>(&event)) {
    // The leader may have found itself deposed at the head of this very step.
    if (this->leading() != nullptr) {
      leading->propose(propose->txns);
    }
  } else if (std::holds_alternative<ConfirmQuorum>(event)) {
    // Also while it hands over: it may stay after all, and the driver waits for this round.
    if (leading != nullptr && leading->reigning()) {
      leading->confirm_quorum();
    }
  } else if (std::holds_alternative<HandOver>(event)) {
    core_.resigned = core_.voters() > 1;
    if (leading != nullptr) {
      leading->hand_over();
    }
  } else if (const auto* taken = std::get_if<SnapshotTaken>(&event)) {
    if (leading != nullptr) {
      leading->on_snapshot_taken(taken->to, taken->run);
    }
  } else if (const auto* aside = std::get_if<StandAside>(&event)) {
    stand_aside(aside->reason);
  }
}

void Zab::stand_aside(const std::string& reason) {
  core_.aside = reason;
  if (auto* leading = std::get_if<Leading>(&state_)) {
    if (reason.empty() && !core_.resigned) {
      leading->keep_leading();
    } else if (!reason.empty()) {
      leading->hand_over();
    }
  } else if (!reason.empty() && !std::holds_alternative<Resting>(state_)) {
    core_.leave(reason);
  } else if (!reason.empty()) {
    core_.notify_all(notification());
  }
}

void Zab::on_received(const Received& received) {
  const auto peer = core_.peers.find(received.from);
  if (peer == core_.peers.end()) {
    return;  // of a link that is gone (D10)
  }
  peer->second.heard = core_.now;
  if (const auto* notification = std::get_if<Notification>(&received.envelope.message)) {
    on_notification(received.from, *notification);
  } else if (auto* leading = std::get_if<Leading>(&state_)) {
    leading->on_message(received.from, received.envelope);
  } else if (auto* following = std::get_if<Following>(&state_)) {
    following->on_message(received.from, received.envelope);
  }
}

void Zab::on_notification(MemberId from, const Notification& notification) {
  Peer& peer = core_.peers.at(from);
  peer.said = notification;
  peer.said->own.id = from;
  // A looking member whose log is not at rest yet has not answered.
  peer.answered = notification.role != Role::kLooking || notification.ready || notification.aside;
  if (notification.wants_answer &&
      (!std::holds_alternative<Resting>(state_) || !core_.aside.empty())) {
    core_.send(from, this->notification());
  }
  if (auto* leading = std::get_if<Leading>(&state_)) {
    leading->on_notification(from);
  } else if (auto* following = std::get_if<Following>(&state_)) {
    following->on_notification(from);
  }
}

void Zab::on_persisted(const Persisted& persisted) {
  const std::optional<PersistDone> done = core_.on_persisted(persisted.id);
  if (!done) {
    return;
  }
  if (auto* leading = std::get_if<Leading>(&state_)) {
    leading->on_persisted(*done);
  } else if (auto* following = std::get_if<Following>(&state_)) {
    following->on_persisted(*done);
  }
}

void Zab::settle() {
  while (true) {
    if (core_.leaving) {
      go_resting();
    } else if (std::holds_alternative<Resting>(state_) && core_.disk_at_rest()) {
      core_.deliver();
      if (core_.deliver_more() || !core_.aside.empty()) {
        return;
      }
      ++elections_;
      state_.emplace<Election>(core_, hold_until_);
    } else if (auto* election = std::get_if<Election>(&state_)) {
      election->consider();
      const std::optional<MemberId> decided = election->decided();
      if (!decided) {
        return;
      }
      core_.new_run();
      if (*decided == core_.options.self) {
        state_.emplace<Leading>(core_);
      } else {
        state_.emplace<Following>(core_, *decided);
      }
    } else {
      return;
    }
  }
}

void Zab::go_resting() {
  const std::string reason = *std::exchange(core_.leaving, std::nullopt);
  hold_until_ = core_.now;
  if (!std::holds_alternative<Resting>(state_) && !reign()) {
    // An attempt failed. Members whose attempts fail together must not try again together.
    const auto beat = microseconds(core_.options.heartbeat_interval).count();
    hold_until_ += microseconds(core_.rng.between(0, beat));
  }
  core_.say(Weight::kInfo, "looking for a leader: " + reason);
  for (const Effect& effect : core_.effects) {
    serving_ = serving_ || std::holds_alternative<ReignBegan>(effect);
  }
  if (std::exchange(serving_, false)) {
    core_.effects.emplace_back(ReignEnded{reason});
  }
  if (auto* following = std::get_if<Following>(&state_);
      following != nullptr && mutated(Mutant::kZk3642HalfLoaded)) {
    following->keep_unfinished();
  }
  core_.new_run();
  core_.drop_unwritten();
  state_.emplace<Resting>();
  core_.notify_all(notification());
}

Role Zab::role() const {
  if (std::holds_alternative<Leading>(state_)) {
    return Role::kLeading;
  }
  return std::holds_alternative<Following>(state_) ? Role::kFollowing : Role::kLooking;
}

std::optional<Reign> Zab::reign() const {
  if (const auto* leading = std::get_if<Leading>(&state_); leading && leading->established()) {
    return Reign{core_.options.self, leading->epoch()};
  }
  if (const auto* following = std::get_if<Following>(&state_); following && following->serving()) {
    return Reign{following->leader(), following->epoch()};
  }
  return std::nullopt;
}

const Leading* Zab::leading() const {
  const auto* leading = std::get_if<Leading>(&state_);
  return leading && leading->reigning() && !leading->handing_over() ? leading : nullptr;
}

const Followers* Zab::followers() const {
  const auto* leading = std::get_if<Leading>(&state_);
  return leading ? &leading->followers() : nullptr;
}

std::optional<SnapshotWanted> Zab::snapshot_wanted() const {
  const auto* following = std::get_if<Following>(&state_);
  return following ? following->snapshot_wanted() : std::nullopt;
}

Instant Zab::quorum_heard_at() const {
  if (const auto* leading = std::get_if<Leading>(&state_); leading && leading->established()) {
    return leading->quorum_heard_at();
  }
  const auto* following = std::get_if<Following>(&state_);
  return following ? following->quorum_heard_at() : kLongAgo;
}

Notification Zab::notification() const {
  if (const auto* leading = std::get_if<Leading>(&state_)) {
    return leading->notification();
  }
  if (const auto* following = std::get_if<Following>(&state_)) {
    return following->notification();
  }
  if (const auto* election = std::get_if<Election>(&state_)) {
    return election->notification(false);
  }
  return {.role = Role::kLooking,
          .ready = false,
          .own = core_.credentials(),
          .vote = {},
          .reign = {},
          .established = false,
          .in_doubt = core_.in_doubt,
          .wants_answer = false,
          .aside = !core_.aside.empty()};
}

std::string Zab::waiting_for() const {
  if (!core_.aside.empty()) {
    return core_.aside;
  }
  if (const auto* leading = std::get_if<Leading>(&state_)) {
    return leading->waiting_for();
  }
  if (const auto* following = std::get_if<Following>(&state_)) {
    return following->waiting_for();
  }
  const auto* election = std::get_if<Election>(&state_);
  return election ? election->waiting_for() : "the disk to finish what was begun";
}

Instant Zab::next_deadline() const {
  if (const auto* leading = std::get_if<Leading>(&state_)) {
    return leading->deadline();
  }
  if (const auto* following = std::get_if<Following>(&state_)) {
    return following->deadline();
  }
  const auto* election = std::get_if<Election>(&state_);
  if (election != nullptr) {
    return election->deadline();
  }
  return core_.deliver_more() ? core_.now : kNever;
}

}  // namespace ringside::coord
