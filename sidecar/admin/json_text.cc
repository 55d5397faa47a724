#include "sidecar/admin/json_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace ringside::admin {

std::string text_of(const nlohmann::ordered_json& value) {
  return value.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string hex(std::uint64_t value) {
  return fmt::format("{:#x}", value);
}

}  // namespace ringside::admin
