// What a reload changes: which keys differ, which of them a running sidecar takes, and the settings
// that it then runs with.
//
// Called by sidecar/app after a new file was read without problems. Pure, any thread. Live keys:
// service.weight, zone, metadata and health_check, proxy.domains, drain, log, defaults and
// upstreams; every other key needs a restart (schema.h, Key::live).
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"

namespace ringside::config {

struct Change {
  std::string key;  // dotted; "service", "ring" or "upstreams.NAME" for a block that came or went
  std::string sentence;  // "log.level: info -> debug"
  bool operator==(const Change&) const = default;
};

struct Changes {
  std::vector<Change> live;
  std::vector<Change> restart;  // the sentence ends in what to do
};

// An upstream's key that only follows a change of the same key in `defaults` is not listed again.
Changes diff(const Settings& running, const Settings& fresh);

// `running` with the live keys of `fresh`. Together with what stays, they may clash (an upstream's
// new port with one that is only given up at a restart): ask check() in validate.h before use.
Settings merge_live(const Settings& running, const Settings& fresh);

}  // namespace ringside::config
