// Trees that are no longer needed, to be freed in slices: a million nodes at once would hold up the
// loop. Pure; owned by the driver.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "coord/registry/registry.h"

namespace ringside::coord {

class Graveyard {
 public:
  void bury(Registry registry) { registries_.push_back(std::move(registry)); }
  [[nodiscard]] bool empty() const { return registries_.empty(); }
  // Frees about so many nodes.
  void work(std::size_t nodes) {
    if (!registries_.empty() && registries_.front().shed(nodes)) {
      registries_.pop_front();
    }
  }

 private:
  std::deque<Registry> registries_;
};

}  // namespace ringside::coord
