// Who this sidecar is in the ring: voter or observer, its id, the voters and their addresses, where
// it listens.
//
// Pure; called once by the app at start, and again when a voter has lost its disk and goes on as an
// observer.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "coord/zab/types.h"

namespace ringside::app {

struct RingIdentity {
  coord::MemberId self;
  bool voter = false;
  std::vector<config::Voter> voters;  // with addresses; a ring of one names itself
  config::Address listen;
  config::Address advertise;  // what others are told
};

// `drawn` is the observer id to use if this sidecar is no voter (kMinObserverId and above).
RingIdentity identify(const config::Settings& settings, coord::MemberId drawn);

// The same sidecar as an observer: a voter without a usable disk must not vote.
RingIdentity as_observer(RingIdentity identity, coord::MemberId drawn);

}  // namespace ringside::app
