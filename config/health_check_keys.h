// The rows of service.health_check that decide its kind: one choice written as several keys, `none`
// in place of the block, `tcp` or `http`. Used by schema.cc only. Pure, any thread.
#pragma once

#include <vector>

#include "config/schema.h"

namespace ringside::config {

// health_check (the whole, which a reload compares), health_check.tcp and health_check.http.
std::vector<Key<Service>> health_check_kinds();

}  // namespace ringside::config
