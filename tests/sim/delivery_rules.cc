#include "tests/sim/delivery_rules.h"

namespace ringside::sim {

std::optional<std::size_t> DeliveryRules::place_of(Zxid zxid) const {
  if (zxid == Zxid{}) {
    return 0;
  }
  const auto found = places_.find(zxid);
  return found == places_.end() ? std::nullopt : std::optional(found->second);
}

void DeliveryRules::same_state(MemberId member, bool voter, const Delivered& expected,
                               const Delivered& got) {
  if (voter && expected.digest != got.digest) {
    violate("agreement: member {} has another state at {}: digest {:x}, not {:x}", member.value,
            got.zxid.to_string(), got.digest, expected.digest);
  }
  if (expected.scope_digest != got.scope_digest) {
    violate("scope: member {} has another view at {}: digest {:x}, not {:x}", member.value,
            got.zxid.to_string(), got.scope_digest, expected.scope_digest);
  }
}

void DeliveryRules::stands_at(MemberId member, bool voter, const Delivered& state) {
  const auto place = place_of(state.zxid);
  if (!place) {
    violate("integrity: member {} starts at {}, which nobody delivered", member.value,
            state.zxid.to_string());
  }
  if (*place > 0) {
    same_state(member, voter, history_[*place - 1], state);
  }
  standing_[member] = state.zxid;
  walked_[member] = *place;
}

void DeliveryRules::reloaded(MemberId member, bool voter, const Delivered& state) {
  if (state.zxid < standing_[member]) {
    violate("monotone: member {} goes back from {} to {}", member.value,
            standing_[member].to_string(), state.zxid.to_string());
  }
  const bool early = !voter && state.zxid > last();
  if (early) {
    early_scopes_[state.zxid] = state.scope_digest;
    standing_[member] = state.zxid;
    return;
  }
  stands_at(member, voter, state);
}

void DeliveryRules::extend(MemberId member, const Delivered& state) {
  if (!state.zxid.follows(last())) {
    violate("gap: member {} delivers {} first, behind {}", member.value, state.zxid.to_string(),
            last().to_string());
  }
  history_.push_back(state);
  places_[state.zxid] = history_.size();
  const auto early = early_scopes_.find(state.zxid);
  if (early != early_scopes_.end()) {
    if (early->second != state.scope_digest) {
      violate("scope: an observer had another view at {} before member {} delivered it",
              state.zxid.to_string(), member.value);
    }
    early_scopes_.erase(early);
  }
  if (!early_scopes_.empty() && early_scopes_.begin()->first < state.zxid) {
    violate("integrity: an observer delivered {}, which no voter did",
            early_scopes_.begin()->first.to_string());
  }
}

bool DeliveryRules::applied(MemberId member, bool voter, const Delivered& state) {
  if (state.zxid <= standing_[member]) {
    violate("monotone: member {} delivers {} again or late, behind {}", member.value,
            state.zxid.to_string(), standing_[member].to_string());
  }
  standing_[member] = state.zxid;
  if (!voter) {
    const auto place = place_of(state.zxid);
    if (place) {
      same_state(member, false, history_[*place - 1], state);
    } else if (state.zxid < last()) {
      violate("integrity: observer {} delivers {}, which no voter did", member.value,
              state.zxid.to_string());
    } else {
      early_scopes_[state.zxid] = state.scope_digest;
    }
    return false;
  }
  std::size_t& at = walked_[member];
  bool first = false;
  if (at == history_.size()) {
    extend(member, state);
    first = true;
  } else if (history_[at].zxid != state.zxid) {
    violate("total order: member {} delivers {} where {} was delivered", member.value,
            state.zxid.to_string(), history_[at].zxid.to_string());
  } else {
    same_state(member, true, history_[at], state);
    if (history_[at].changes != state.changes) {
      violate("changes: member {} tells other changes of {}", member.value, state.zxid.to_string());
    }
  }
  ++at;
  return first;
}

bool DeliveryRules::led(MemberId member, Epoch epoch, Zxid applied) {
  const auto [known, added] = leaders_.try_emplace(epoch, member);
  if (known->second != member) {
    violate("primary: epoch {} is led by {} and by {}", epoch.value, known->second.value,
            member.value);
  }
  if (!added) {
    return false;
  }
  // A leader newer than all others before it; an older one may still think that it leads.
  if (epoch > last_led_) {
    last_led_ = epoch;
    if (applied < last()) {
      violate("leader completeness: member {} leads epoch {} at {}, {} was delivered", member.value,
              epoch.value, applied.to_string(), last().to_string());
    }
  }
  return true;
}

void DeliveryRules::born(MemberId member, BirthId birth) {
  if (!birth) {
    return;
  }
  if (!birth_) {
    birth_ = birth;
  }
  if (*birth_ != birth) {
    violate("birth: member {} holds a ring of another birth", member.value);
  }
}

void DeliveryRules::acknowledged(Zxid zxid, Zxid applied) {
  if (!place_of(zxid)) {
    violate("durability: {} was acknowledged and no voter has delivered it", zxid.to_string());
  }
  if (applied < zxid) {
    violate("read your writes: {} was acknowledged by a member that stands at {}", zxid.to_string(),
            applied.to_string());
  }
}

void DeliveryRules::complete(MemberId member, Zxid applied) const {
  if (applied != last()) {
    violate("durability: member {} ends at {}, {} was delivered", member.value, applied.to_string(),
            last().to_string());
  }
}

}  // namespace ringside::sim
