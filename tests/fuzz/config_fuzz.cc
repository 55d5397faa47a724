// Any bytes as a configuration: settings that pass their own checks, or at least one problem with a
// place.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "config/reload.h"
#include "config/validate.h"
#include "config/yaml_reader.h"

namespace {

void need(bool condition) {
  if (!condition) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace config = ringside::config;
  const config::EnvLookup env = [](std::string_view name) -> std::optional<std::string> {
    return name == "A" ? std::optional<std::string>("127.0.0.1:1") : std::nullopt;
  };
  const config::ReadResult result = config::read_settings({data, size}, "fuzz.yaml", env, {});
  if (!result) {
    need(!result.error().empty());
    for (const config::Problem& problem : result.error()) {
      need(problem.line >= 1 && problem.column >= 1 && !problem.message.empty());
    }
    return 0;
  }
  need(config::check(*result).empty());
  const config::Changes changes = config::diff(*result, *result);
  need(changes.live.empty() && changes.restart.empty());
  return 0;
}
