// What must hold for any bytes that are given to the parsers, legal or not.
//
// Called by the fuzzer (http_fuzz.cc) and by tests/wire/http_split. One input is a byte that
// chooses what the rest is read as, then the rest. 1. However the bytes are cut, the events are the
// same. 2. No head that our validator passes is read differently by llhttp. 3. Messages that are
// written again from their parsed form, as the proxy does, are read the same: as many, the same
// bodies, the same heads but for what has to change.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringside::http {

using Cuts = std::vector<std::size_t>;

// What does not hold, in words; nullopt when all does. Each of `cuts` is one way to cut the rest.
std::optional<std::string> broken_rule(std::string_view input, const std::vector<Cuts>& cuts);

}  // namespace ringside::http
