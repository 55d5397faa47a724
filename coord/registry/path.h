// Paths of znodes: which are legal, and their parts (coordination facts 4.3). Pure functions, used
// inside coord/registry and by those who take a path from a person.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ringside::coord {

// One part between slashes: not empty, not "." or "..", UTF-8 without the code points that
// ZooKeeper refuses (control characters, surrogates, private use, fff0 and above).
bool valid_name(std::string_view name);
// "/" or "/" and valid names, at most kMaxPathBytes.
bool valid_path(std::string_view path);

// The rest need a valid path. parent_path("/a") is "/"; of "/" it is empty.
std::string_view parent_path(std::string_view path);
std::string_view last_name(std::string_view path);

// Is it kObserverScope or below.
bool in_scope(std::string_view path);

// What a sequential create appends: the counter, ten digits with zeros in front.
std::string sequence_suffix(std::int32_t counter);

}  // namespace ringside::coord
