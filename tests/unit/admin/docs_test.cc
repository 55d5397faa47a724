// sidecar/README.md against what is really shown: names, types and labels of the metrics, and the
// fields of the JSON, both ways.
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "sidecar/admin/json_views.h"
#include "sidecar/admin/recovery_view.h"
#include "sidecar/admin/trouble.h"
#include "sidecar/admin/znode_json.h"
#include "sidecar/metrics/scrape.h"
#include "tests/unit/admin/made_up.h"

namespace ringside::admin::test {

namespace {

using Words = std::set<std::string>;

std::string readme() {
  std::ifstream in(RINGSIDE_SOURCE "/sidecar/README.md");
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

// The rows of the tables below that heading, up to the next heading, as cells.
std::vector<std::vector<std::string>> rows_below(const std::string& heading) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream in(readme());
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#")) {
      inside = line == heading;
    } else if (inside && line.starts_with("| `")) {
      std::vector<std::string> cells;
      std::istringstream row(line.substr(1));
      for (std::string cell; std::getline(row, cell, '|');) {
        cells.push_back(cell);
      }
      rows.push_back(cells);
    }
  }
  return rows;
}

Words words_in(const std::string& text) {
  static const std::regex kWord("`([a-z_]+)`");
  Words words;
  for (std::sregex_iterator it(text.begin(), text.end(), kWord), end; it != end; ++it) {
    words.insert((*it)[1]);
  }
  return words;
}

std::string word_in(const std::string& cell) {
  const Words words = words_in(cell);
  return words.empty() ? "" : *words.begin();
}

Words fields_of(const std::string& heading) {
  Words fields;
  for (const auto& row : rows_below(heading)) {
    fields.insert(word_in(row[0]));
  }
  return fields;
}

Words keys_of(const json& object) {
  const auto names = keys(object);
  return {names.begin(), names.end()};
}

// Something to say everywhere.
Snapshot troubled() {
  Snapshot snapshot = made_up();
  snapshot.ready = false;
  snapshot.not_ready = snapshot.config_problem = snapshot.ring.fenced = "x";
  snapshot.ring.status.waiting_for = "x";
  snapshot.ring.status.routed_minimum.emplace();
  snapshot.ring.status.short_of_room = "x";
  return snapshot;
}

struct Metric {
  std::string type;
  Words labels;
  bool operator==(const Metric&) const = default;
};

std::string full_page() {
  static metrics::WorkerMetrics worker("worker-0");
  auto& upstream = worker.upstream("orders");
  upstream.requests.add(200);
  upstream.errors.add("timeout");
  upstream.retries.add("reset");
  worker.inbound.requests.add(200);
  worker.bad_requests.add("both_lengths");
  worker.bad_responses.add("bad_chunk");
  metrics::Sources sources;
  sources.loops = {&worker};
  sources.ring.emplace();
  sources.endpoints = {{"orders", "up", 1}};
  sources.breakers = {{"orders", "10.0.0.5:80", metrics::BreakerState::kOpen}};
  sources.transitions = {{"orders", metrics::BreakerState::kOpen, 1}};
  sources.build.version = "0.1.0";
  return metrics::scrape(sources);
}

std::map<std::string, Metric> shown_metrics() {
  static const std::regex kLabel("([a-z_]+)=\"");
  std::map<std::string, Metric> found;
  std::string name;
  std::istringstream in(full_page());
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# TYPE ")) {
      std::istringstream words(line.substr(7));
      std::string type;
      words >> name >> type;
      found[name].type = type;
    } else if (!line.starts_with("#")) {
      REQUIRE(line.starts_with(name));
      for (std::sregex_iterator it(line.begin(), line.end(), kLabel), end; it != end; ++it) {
        if ((*it)[1] != "le") {
          found[name].labels.insert((*it)[1]);
        }
      }
    }
  }
  return found;
}

}  // namespace

TEST_CASE("EveryMetricIsDocumentedWithItsTypeAndLabels") {
  std::map<std::string, Metric> documented;
  for (const auto& row : rows_below("## Metrics")) {
    REQUIRE(row.size() >= 4);
    std::istringstream type(row[1]);
    Metric metric;
    type >> metric.type;
    metric.labels = words_in(row[2]);
    documented[word_in(row[0])] = metric;
  }
  const auto shown = shown_metrics();
  CHECK(shown.size() > 20);
  for (const auto& [name, metric] : shown) {
    CHECK_MESSAGE(documented[name] == metric, name);
  }
  for (const auto& [name, metric] : documented) {
    CHECK_MESSAGE(shown.contains(name), name);
  }
}

TEST_CASE("EveryFieldOfTheJsonIsDocumented") {
  const Snapshot snapshot = troubled();
  const json status = parsed(status_json(snapshot, snapshot.made));
  CHECK(fields_of("### /v1/status") == keys_of(status));
  CHECK(fields_of("### /readyz") == keys_of(parsed(ready_json(snapshot))));
  const json ring = parsed(ring_json(snapshot));
  CHECK(fields_of("### /v1/ring") == keys_of(ring));
  const json services = parsed(services_json(snapshot));
  CHECK(fields_of("### /v1/services") == keys_of(services));
  const json service = parsed(*service_json(snapshot, "orders"));
  Words both = keys_of(service);
  both.merge(keys_of(service["endpoints"][0]));
  CHECK(fields_of("### /v1/services/SERVICE") == both);

  const auto listed = [](const std::string& heading, const std::string& field, const json& object) {
    for (const auto& row : rows_below(heading)) {
      if (word_in(row[0]) == field) {
        const Words words = words_in(row[1]);
        for (const auto& key : keys_of(object)) {
          CHECK_MESSAGE(words.contains(key), heading, " ", field, ": ", key);
        }
      }
    }
  };
  listed("### /v1/status", "registration", status["registration"]);
  listed("### /v1/services", "services", services["services"][0]);
  listed("### /v1/ring", "members", ring["members"][0]);
}

TEST_CASE("EveryFieldOfAZnodeIsDocumented") {
  ZnodeRead read;
  read.data = "\xff";
  const json shown = parsed(znode_json(read));
  const json stat = shown["stat"];
  ZnodeWritten written;
  written.stat.emplace();
  Words all = keys_of(shown);
  all.merge(keys_of(parsed(znode_json(written))));
  all.merge(keys_of(parsed(znode_json(ZnodeDeleted{}))));
  CHECK(fields_of("#### Answer") == all);
  for (const auto& row : rows_below("#### Answer")) {
    if (word_in(row[0]) == "stat") {
      const Words words = words_in(row[2]);
      for (const auto& key : keys_of(stat)) {
        CHECK_MESSAGE(words.contains(key), key);
      }
    }
  }
}

TEST_CASE("EveryFieldOfARecoveryIsDocumented") {
  RecoveryView view;
  view.damage = "x";
  view.unfinished = "x";
  CHECK(fields_of("### /v1/ring/recover") == keys_of(parsed(recovery_json(view))));
}

TEST_CASE("EveryFieldOfADrainIsDocumented") {
  DrainView view;
  view.detail = "x";
  view.behind.emplace_back();
  const json shown = parsed(drain_json(view));
  CHECK(fields_of("### /v1/drain") == keys_of(shown));
  for (const auto& row : rows_below("### /v1/drain")) {
    if (word_in(row[0]) == "behind") {
      const Words words = words_in(row[1]);
      for (const auto& key : keys_of(shown["behind"][0])) {
        CHECK_MESSAGE(words.contains(key), key);
      }
    }
  }
}

TEST_CASE("EveryErrorOfTheAdminPortIsDocumentedWithItsStatus") {
  std::map<std::string, std::pair<int, int>> documented;
  for (const auto& row : rows_below("### Refusals")) {
    REQUIRE(row.size() >= 4);
    documented[word_in(row[0])] = {std::stoi(row[1]), std::stoi(row[2])};
  }
  CHECK(documented.size() == trouble_kinds().size());
  for (const auto& kind : trouble_kinds()) {
    const auto found = documented.find(std::string(kind.word));
    CHECK_MESSAGE(found != documented.end(), kind.word);
    if (found != documented.end()) {
      CHECK_MESSAGE(found->second == std::pair(kind.status, static_cast<int>(kind.code)),
                    kind.word);
    }
  }
}

}  // namespace ringside::admin::test
