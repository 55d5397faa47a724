// For the tests of the rules: what a small wrong history breaks.
#pragma once

#include <functional>
#include <string>

#include "tests/sim/trace.h"

namespace ringside::sim {

// The rule that `history` breaks: the first words of the violation, or "nothing".
inline std::string broken_by(const std::function<void()>& history) {
  try {
    history();
  } catch (const Violation& violation) {
    const std::string text = violation.what();
    return text.substr(0, text.find(':'));
  }
  return "nothing";
}

}  // namespace ringside::sim
