// The version that `version`, /v1/status and ringside_build_info tell. Set by CMake's project().
#pragma once

namespace ringside::app {

inline constexpr const char* kVersion = RINGSIDE_VERSION;

}  // namespace ringside::app
