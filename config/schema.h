// The one table of all keys: how each is read, shown, compared and copied, its default and range,
// and whether a reload takes it.
//
// Used by yaml_reader (reading and suggestions), reload (differences), the test of README.md and
// the command line. Made once, immutable, any thread. Three parts, by what a key is about: the
// process, its service, one upstream (or `defaults`). Paths are dotted and within the part:
// "timeouts.connect". A key of a later version stands here too, so that it is known by name; it
// accepts its neutral value only.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/read_value.h"
#include "config/settings.h"

namespace ringside::config {

template <typename Target>
struct Key {
  std::string_view path;
  Rule rule;
  bool live = false;     // a reload takes it without a restart
  bool later = false;    // not in this version
  std::string fallback;  // the default as YAML
  std::string range;
  void (*read)(const Input& in, Target& out) = nullptr;
  // Null where the settings keep nothing of their own for the key.
  std::string (*show)(const Rule& rule, const Target& from) = nullptr;
  bool (*same)(const Target& a, const Target& b) = nullptr;
  void (*copy)(const Target& from, Target& to) = nullptr;
};

std::span<const Key<Settings>> settings_keys();
std::span<const Key<Service>> service_keys();    // below service
std::span<const Key<Upstream>> upstream_keys();  // below upstreams.NAME and below defaults

// A key for people: full path, with NAME for the name of an upstream; those below `defaults` are
// left out.
struct KeyInfo {
  std::string path;
  std::string fallback;
  std::string range;
  bool live = false;
  bool later = false;
};
std::vector<KeyInfo> known_keys();

}  // namespace ringside::config
