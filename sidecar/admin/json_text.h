// How every JSON answer of the admin API is written. Values; used by the views of this room.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace ringside::admin {

// One line for each value, a line feed at the end; bytes that are no UTF-8 are replaced.
std::string text_of(const nlohmann::ordered_json& value);
// "0x..", as zxids and sessions are shown.
std::string hex(std::uint64_t value);

}  // namespace ringside::admin
