// Checks across keys: what each key allows by itself but not together with the others.
//
// Called by yaml_reader after reading, and by sidecar/app on what merge_live made. Pure, any
// thread. A check is left out when one of the keys it compares already has a problem. The rules:
//  1. Without a ring: block everything listens on loopback.
//  2. A ring off loopback needs TLS, which this version does not have: ring.insecure: true accepts
//  plain text.
//  3. ring.id and ring.advertise name one and the same voter; what others are to reach can be
//  reached.
//  4. election_timeout >= 3 heartbeat_interval, session_timeout >= 2 election_timeout, open_for_max
//  >= open_for.
//  5. No two listeners share an address; the app, and static endpoints, are none of our own
//  listeners.
//  6. An upstream with protocol tcp has a port of its own.
#pragma once

#include <vector>

#include "config/report.h"
#include "config/settings.h"

namespace ringside::config {

void validate(const Settings& settings, Report& report);

// The same for settings without a source: what is wrong, empty when nothing is.
std::vector<Problem> check(const Settings& settings);

}  // namespace ringside::config
