#include "tests/drills/load/load_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace ringside::drill {

namespace {

constexpr std::size_t kBodyShown = 800;

std::string word_of(const Outcome& outcome) {
  if (!outcome.error.empty()) {
    return std::string(outcome.error);
  }
  return outcome.cause.empty() ? fmt::format("{}", outcome.status)
                               : fmt::format("{} {}", outcome.status, outcome.cause);
}

std::string to_json(const Outcome& outcome, const std::string& word) {
  // Whatever came back is shown, even bytes that are no UTF-8.
  return nlohmann::json{{"id", outcome.id},
                        {"method", outcome.post ? "POST" : "GET"},
                        {"due", outcome.due_ms / 1e3},
                        {"sent", outcome.sent_ms / 1e3},
                        {"end", outcome.end_ms / 1e3},
                        {"what", word},
                        {"status", outcome.status},
                        {"cause", outcome.cause},
                        {"instance", outcome.instance},
                        {"answered_before", outcome.answered},
                        {"body", outcome.body.substr(0, kBodyShown)}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

void LoadResults::add(const Outcome& outcome) {
  const bool ok = outcome.status == 200 && outcome.error.empty();
  const std::string word = ok ? "ok" : word_of(outcome);
  ++outcomes_[outcome.post ? "POST" : "GET"][word];
  took_ms_.push_back(static_cast<float>(outcome.end_ms - outcome.due_ms));
  late_ += outcome.sent_ms - outcome.due_ms > kLateMs;
  if (ok) {
    const auto found = instances_.find(outcome.instance);
    ++(found != instances_.end() ? found->second : instances_[std::string(outcome.instance)]);
  } else if (failures_.size() < kFailuresKept) {
    failures_.push_back(to_json(outcome, word));
  }
}

std::string LoadResults::take() {
  std::sort(took_ms_.begin(), took_ms_.end());
  const auto percentile = [&](double share) {
    const auto at = static_cast<std::size_t>(share * static_cast<double>(took_ms_.size()));
    return took_ms_.empty() ? 0.0F : took_ms_[std::min(at, took_ms_.size() - 1)];
  };
  const nlohmann::json counts{{"requests", took_ms_.size()}, {"outcomes", outcomes_},
                              {"instances", instances_},     {"late", late_},
                              {"connections", connections_}, {"p50_ms", percentile(0.5)},
                              {"p99_ms", percentile(0.99)},  {"max_ms", percentile(1)}};
  std::string line = counts.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  line.pop_back();
  line += fmt::format(R"(,"failures":[{}]}})", fmt::join(failures_, ","));
  *this = LoadResults();
  return line;
}

}  // namespace ringside::drill
