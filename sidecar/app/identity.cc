#include "sidecar/app/identity.h"

namespace ringside::app {

namespace {

config::Address advertised(const config::Ring& ring) {
  if (ring.advertise) {
    return *ring.advertise;
  }
  for (const auto& voter : ring.voters) {
    if (ring.id && voter.id == *ring.id) {
      return voter.address;
    }
  }
  return ring.listen;
}

}  // namespace

RingIdentity identify(const config::Settings& settings, coord::MemberId drawn) {
  const config::Ring& ring = settings.ring;
  RingIdentity identity{drawn, false, ring.voters, ring.listen, advertised(ring)};
  if (ring.voters.empty()) {
    identity.self = coord::MemberId{ring.id.value_or(1)};
    identity.voter = true;
    identity.voters = {config::Voter{identity.self.value, identity.advertise}};
    return identity;
  }
  for (const auto& voter : ring.voters) {
    const bool ours = ring.id ? voter.id == *ring.id : voter.address == identity.advertise;
    if (ours) {
      identity.self = coord::MemberId{voter.id};
      identity.voter = true;
    }
  }
  return identity;
}

RingIdentity as_observer(RingIdentity identity, coord::MemberId drawn) {
  identity.self = drawn;
  identity.voter = false;
  return identity;
}

}  // namespace ringside::app
