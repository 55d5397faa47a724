// Rules about what members deliver and who leads, checked at every delivery. Pure: values in, a
// Violation out.
//
// The first member to deliver a transaction extends the one global history; every other must walk
// the same way. That one form carries total order, agreement, integrity of bytes (by digests),
// gap-freedom and durability: what an acknowledged write stands in can never leave the history, and
// each member and each later leader must hold it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "coord/zab/types.h"
#include "tests/sim/trace.h"

namespace ringside::sim {

using coord::BirthId;
using coord::Epoch;
using coord::MemberId;
using coord::Zxid;

struct Delivered {
  Zxid zxid;
  std::uint64_t digest = 0;        // of the whole tree; 0 from an observer
  std::uint64_t scope_digest = 0;  // of what observers hold
  std::uint64_t changes = 0;       // hash of the changes told
};

class DeliveryRules {
 public:
  // A member starts, or replaced its tree by a snapshot: it stands where `state` says.
  void stands_at(MemberId member, bool voter, const Delivered& state);
  // A member that starts knows of a commit that nobody has delivered.
  void delivered_at_start(MemberId member, const Delivered& state) { extend(member, state); }
  void reloaded(MemberId member, bool voter, const Delivered& state);
  // True when a voter delivered it before all others.
  bool applied(MemberId member, bool voter, const Delivered& state);
  // A member says that it is the established leader of `epoch`, having applied `applied`. True:
  // that is news.
  bool led(MemberId member, Epoch epoch, Zxid applied);
  void born(MemberId member, BirthId birth);
  // A write was answered with success by a member that stands at `applied`.
  void acknowledged(Zxid zxid, Zxid applied);

  [[nodiscard]] Zxid last() const { return history_.empty() ? Zxid{} : history_.back().zxid; }
  [[nodiscard]] std::size_t size() const { return history_.size(); }
  // Everything delivered must be in a member's state that says `applied` at the end.
  void complete(MemberId member, Zxid applied) const;

 private:
  // Number of transactions up to and including `zxid`; nullopt: nobody delivered it.
  [[nodiscard]] std::optional<std::size_t> place_of(Zxid zxid) const;
  void same_state(MemberId member, bool voter, const Delivered& expected, const Delivered& got);
  void extend(MemberId member, const Delivered& state);

  std::vector<Delivered> history_;
  std::unordered_map<Zxid, std::size_t> places_;
  std::map<MemberId, Zxid> standing_;
  std::map<MemberId, std::size_t> walked_;      // voters: place in history_
  std::map<Zxid, std::uint64_t> early_scopes_;  // told by observers before any voter
  std::map<Epoch, MemberId> leaders_;
  Epoch last_led_;
  std::optional<BirthId> birth_;
};

}  // namespace ringside::sim
