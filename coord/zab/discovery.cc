#include "coord/zab/discovery.h"

#include <fmt/format.h>

#include <algorithm>

#include "coord/mutant.h"

namespace ringside::coord {

void Discovery::add_info(MemberId from, const FollowerInfo& info) {
  followers_[from] = {info, false};
}

void Discovery::add_promise(MemberId from, const AckEpoch& ack) {
  const auto found = followers_.find(from);
  if (found == followers_.end()) {
    return;
  }
  found->second.info.current = ack.current;
  found->second.info.last = ack.last;
  // A member in doubt persists no promise (D16); it counts only where everybody is needed anyway.
  found->second.promised = ack.counts || found->second.info.in_doubt;
}

void Discovery::remove(MemberId from) {
  followers_.erase(from);
}

Tally Discovery::infos() const {
  Tally tally(core_.voters());
  tally.add(core_.in_doubt);
  for (const auto& [id, follower] : followers_) {
    tally.add(follower.info.in_doubt);
  }
  return tally;
}

Tally Discovery::promises() const {
  Tally tally(core_.voters());
  if (own_promised_) {
    tally.add(core_.in_doubt);
  }
  for (const auto& [id, follower] : followers_) {
    if (follower.promised) {
      tally.add(follower.info.in_doubt);
    }
  }
  return tally;
}

bool Discovery::has_quorum_of_infos() const {
  return infos().sufficient();
}

bool Discovery::has_quorum_of_promises() const {
  return own_promised_ && promises().sufficient();
}

Result<Epoch> Discovery::new_epoch() const {
  std::uint32_t highest = std::max(core_.accepted.value, core_.epoch_floor.value);
  for (const auto& [id, follower] : followers_) {
    highest = std::max(highest, follower.info.accepted.value);
  }
  if (highest >= kMaxEpoch) {
    return fail(ErrorCode::kRefused,
                fmt::format("the ring has used all {} epochs; only a ring of a new birth goes on "
                            "(ring recover)",
                            kMaxEpoch));
  }
  return Epoch{highest + 1};
}

Result<BirthId> Discovery::birth(Rng& rng) const {
  BirthId birth = core_.birth;
  bool empty = core_.history.last() == Zxid{};
  for (const auto& [id, follower] : followers_) {
    if (!birth) {
      birth = follower.info.birth;
    }
    empty = empty && follower.info.last == Zxid{};
  }
  if (birth) {
    return birth;
  }
  const bool anybody = mutated(Mutant::kZk2325EmptyDiskVotes);
  if ((!infos().everybody() && !anybody) || !empty) {
    return fail(ErrorCode::kRefused, "a ring is born only when every voter answers, all empty");
  }
  return BirthId{(rng() >> 1U) | 1U};
}

std::optional<MemberId> Discovery::better_follower() const {
  const bool clean = infos().clean_majority();
  const Credentials own = core_.credentials();
  for (const auto& [id, follower] : followers_) {
    const Credentials theirs{follower.info.current, follower.info.last, true, id};
    if (theirs.beats(own) && (!follower.info.in_doubt || !clean)) {
      return id;
    }
  }
  return std::nullopt;
}

}  // namespace ringside::coord
