// An answer of the admin port that is not what was asked for: a word, a sentence, a status.
//
// Any thread; values. The words of /v1/znode, /v1/ring/recover and /v1/drain stand in one table,
// which sidecar/README.md repeats (a test compares them).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ringside::admin {

enum class TroubleWord : std::uint8_t {
  kBadPath,
  kBadQuery,
  kBadHost,
  kForeignOrigin,
  kReserved,
  kNoNode,
  kBadMethod,
  kNodeExists,
  kBadVersion,
  kNotEmpty,
  kNoChildrenForEphemerals,
  kRecoveryRefused,
  kStopping,
  kTooLarge,
  kBadArguments,
  kSystemError,
  kRecoveryFailed,
  kNotInView,
  kBusy,
  kNoQuorum,
  kConnectionLoss,
  kTimeout,
};

struct TroubleKind {
  TroubleWord id;
  std::string_view word;  // `error` in the JSON
  int status;             // of HTTP
  std::int32_t code;      // ZooKeeper's number for it; 0: it has none
};

std::span<const TroubleKind> trouble_kinds();
const TroubleKind& kind_of(TroubleWord word);

struct Trouble {
  TroubleWord word = TroubleWord::kSystemError;
  std::string hint;  // a sentence: what happened, and what to do
};

// {"error": …, "hint": …, "code": …}
std::string trouble_json(const Trouble& trouble);

}  // namespace ringside::admin
