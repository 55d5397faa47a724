#include "sidecar/admin/trouble.h"

#include <array>
#include <nlohmann/json.hpp>

#include "config/base/check.h"
#include "sidecar/admin/json_text.h"

namespace ringside::admin {

namespace {

constexpr std::array kKinds{
    TroubleKind{TroubleWord::kBadPath, "bad_path", 400, -8},
    TroubleKind{TroubleWord::kBadQuery, "bad_query", 400, -8},
    TroubleKind{TroubleWord::kBadHost, "bad_host", 403, 0},
    TroubleKind{TroubleWord::kForeignOrigin, "foreign_origin", 403, 0},
    TroubleKind{TroubleWord::kReserved, "reserved", 403, 0},
    TroubleKind{TroubleWord::kNoNode, "no_node", 404, -101},
    TroubleKind{TroubleWord::kBadMethod, "bad_method", 405, 0},
    TroubleKind{TroubleWord::kNodeExists, "node_exists", 409, -110},
    TroubleKind{TroubleWord::kBadVersion, "bad_version", 409, -103},
    TroubleKind{TroubleWord::kNotEmpty, "not_empty", 409, -111},
    TroubleKind{TroubleWord::kNoChildrenForEphemerals, "no_children_for_ephemerals", 409, -108},
    TroubleKind{TroubleWord::kRecoveryRefused, "recovery_refused", 409, 0},
    TroubleKind{TroubleWord::kStopping, "stopping", 409, 0},
    TroubleKind{TroubleWord::kTooLarge, "too_large", 413, -8},
    TroubleKind{TroubleWord::kBadArguments, "bad_arguments", 422, -8},
    TroubleKind{TroubleWord::kSystemError, "system_error", 500, -1},
    TroubleKind{TroubleWord::kRecoveryFailed, "recovery_failed", 500, 0},
    TroubleKind{TroubleWord::kNotInView, "not_in_view", 501, -6},
    TroubleKind{TroubleWord::kBusy, "busy", 503, 0},
    TroubleKind{TroubleWord::kNoQuorum, "no_quorum", 503, 0},
    TroubleKind{TroubleWord::kConnectionLoss, "connection_loss", 503, -4},
    TroubleKind{TroubleWord::kTimeout, "timeout", 504, -7},
};

}  // namespace

std::span<const TroubleKind> trouble_kinds() {
  return kKinds;
}

const TroubleKind& kind_of(TroubleWord word) {
  const TroubleKind& kind = kKinds.at(static_cast<std::size_t>(word));
  CHECK(kind.id == word);
  return kind;
}

std::string trouble_json(const Trouble& trouble) {
  const TroubleKind& kind = kind_of(trouble.word);
  nlohmann::ordered_json out{{"error", kind.word}, {"hint", trouble.hint}};
  if (kind.code != 0) {
    out["code"] = kind.code;
  }
  return text_of(out);
}

}  // namespace ringside::admin
