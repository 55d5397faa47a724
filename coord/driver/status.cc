// What a member knows of itself and of the others, for people and metrics.
#include <algorithm>

#include "coord/driver/state.h"

namespace ringside::coord {

BirthId Driver::State::birth() const {
  return zab ? zab->birth() : observing->birth();
}

Instant Driver::State::quorum_heard_at() const {
  return zab ? zab->quorum_heard_at() : observing->quorum_heard_at();
}

Role Driver::State::own_role() const {
  if (fenced) {
    return Role::kLooking;
  }
  return zab ? zab->role() : observing->role();
}

Zxid Driver::State::view() const {
  return observing ? observing->view() : registry.applied();
}

RingStatus Driver::State::status() const {
  RingStatus status;
  status.self = options.self;
  status.birth = birth();
  status.role = own_role();
  if (reign) {
    status.leader = reign->leader;
  }
  status.epoch = zab ? zab->current_epoch() : observing->epoch();
  status.applied = view();
  status.quorum = reign && now - quorum_heard_at() <= options.election_timeout;
  status.in_doubt = zab && zab->in_doubt();
  if (fenced) {
    status.waiting_for = "a restart of this process: its disk or its data failed";
  } else if (!reign) {
    status.waiting_for = zab ? zab->waiting_for() : "a leader among the voters it has links to";
  }
  status.short_of_room = short_of_room;
  status.quorum_seen = quorum_seen;
  status.elections = zab ? zab->elections() : observing->attachments();
  status.sessions = registry.session_count();
  status.znodes = registry.znodes();
  status.watches = watches.size();
  status.outstanding = requests.size();
  status.members = members();
  if (leads()) {
    status.routed_minimum = routed_minimum();
  }
  return status;
}

std::vector<MemberStatus> Driver::State::members() const {
  std::vector<MemberStatus> all;
  for (const MemberId id : options.voters) {
    all.push_back(member(id));
  }
  if (observing) {
    all.push_back(member(options.self));
  }
  for (const auto& [id, link] : links) {
    if (!is_voter(id)) {
      all.push_back(member(id));
    }
  }
  return all;
}

MemberStatus Driver::State::member(MemberId id) const {
  MemberStatus status;
  status.id = id;
  status.voter = is_voter(id);
  if (leads()) {
    status.routed = routed_of(id);
  }
  if (id == options.self) {
    status.connected = true;
    status.role = own_role();
    status.zxid = view();
    return status;
  }
  status.connected = links.contains(id);
  if (!status.voter) {
    const std::optional<Zxid> fed = feed.view_of(id);
    status.role = Role::kObserving;
    status.zxid = fed.value_or(Zxid{});
    return status;
  }
  std::optional<Notification> said;
  if (zab) {
    const auto peer = zab->peers().find(id);
    said = peer == zab->peers().end() ? std::nullopt : peer->second.said;
  } else {
    const auto peer = observing->voters().find(id);
    said = peer == observing->voters().end() ? std::nullopt : peer->second;
  }
  if (said) {
    status.role = said->role;
    status.zxid = said->own.zxid;
  }
  if (zab && zab->followers() != nullptr && zab->followers()->contains(id)) {
    status.zxid = std::max(status.zxid, zab->followers()->at(id).applied);
  }
  return status;
}

}  // namespace ringside::coord
