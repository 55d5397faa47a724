// What a sidecar keeps beside the ring's files to stay who it is: the id that an observer drew, and
// the voters that the ring was born with.
//
// Called by RingMember at start, and once when the ring is born. Blocking reads and writes of small
// files. The voters kept count before those of the settings (product.md: `voters` starts an empty
// ring, then the committed members count): with a shortened list a voter would be a quorum by
// itself and begin a history of its own. In this version the members a ring is born with are the
// committed ones; of a member that both lists name, the address of the settings counts, since the
// id is the identity.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/base/error.h"
#include "config/settings.h"
#include "coord/zab/types.h"

namespace ringside::app {

// Nothing: none was kept, or the file is no use.
std::optional<coord::MemberId> kept_observer_id(const std::string& directory);
Status keep_observer_id(const std::string& directory, coord::MemberId id);

// kNotFound: the ring was not born yet when this sidecar last ran here. kCorrupt: the file is not
// one that we wrote.
Result<std::vector<config::Voter>> kept_voters(const std::string& directory);
Status keep_voters(const std::string& directory, const std::vector<config::Voter>& voters);

// The kept members with the addresses of the configured ones where both name them.
std::vector<config::Voter> committed_voters(std::vector<config::Voter> kept,
                                            const std::vector<config::Voter>& configured);
bool same_members(const std::vector<config::Voter>& a, const std::vector<config::Voter>& b);

}  // namespace ringside::app
