#include "sidecar/admin/recovery_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sidecar/admin/json_text.h"

namespace ringside::admin {

std::string recovery_json(const RecoveryView& view) {
  nlohmann::ordered_json out{{"done", view.done},
                             {"id", view.id.value},
                             {"birth_id", fmt::format("{:016x}", view.birth.value)},
                             {"last_zxid", view.last.to_string()},
                             {"committed_zxid", view.commit.to_string()},
                             {"uncommitted", view.beyond},
                             {"znodes", view.znodes},
                             {"sessions", view.sessions},
                             {"voters", view.voters},
                             {"old_voters", view.old_voters}};
  if (!view.damage.empty()) {
    out["damage"] = view.damage;
  }
  if (!view.unfinished.empty()) {
    out["unfinished"] = view.unfinished;
  }
  return text_of(out);
}

}  // namespace ringside::admin
