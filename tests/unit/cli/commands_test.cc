#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "sidecar/cli/answers.h"
#include "sidecar/cli/command_line.h"

namespace ringside::cli {

namespace {

namespace fs = std::filesystem;

struct Outcome {
  int status = 0;
  std::string out;
  std::string err;
};

// Sends a descriptor into a file while it lives.
class Captured {
 public:
  Captured(std::FILE* stream, std::string path) : stream_(stream), path_(std::move(path)) {
    std::fflush(stream_);
    kept_ = ::dup(::fileno(stream_));
    REQUIRE(::freopen(path_.c_str(), "w", stream_) != nullptr);
  }
  std::string end() {
    std::fflush(stream_);
    ::dup2(kept_, ::fileno(stream_));
    ::close(kept_);
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::FILE* stream_;
  std::string path_;
  int kept_ = -1;
};

struct TempDir {
  TempDir() {
    std::string name = (fs::temp_directory_path() / "ringside-cli-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TempDir() { fs::remove_all(path); }
  std::string path;
};

Outcome ringside(std::vector<std::string> words) {
  const TempDir dir;
  words.insert(words.begin(), "ringside");
  std::vector<char*> argv;
  for (auto& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  Outcome outcome;
  Captured out(stdout, dir.path + "/out");
  Captured err(stderr, dir.path + "/err");
  outcome.status = run(static_cast<int>(words.size()), argv.data());
  outcome.err = err.end();
  outcome.out = out.end();
  return outcome;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("LaterCommandsAreRefusedByName") {
  const std::vector<std::vector<std::string>> rows{
      {"config", "get", "orders"}, {"znode", "ls", "/"},
      {"explain", "abc"},          {"ring", "add", "4@h:1"},
      {"ring", "remove", "1"},     {"ring", "--admin", "127.0.0.1:1", "remove"}};
  for (const auto& row : rows) {
    CAPTURE(row[0]);
    const Outcome outcome = ringside(row);
    CHECK(outcome.status == 2);
    CHECK(has(outcome.err, "not in this version"));
    CHECK(has(outcome.err, row[0]));
    CHECK(outcome.out.empty());
  }
}

TEST_CASE("NothingOfThisVersionIsTakenForLater") {
  for (const std::string_view name : {"run", "exec", "check", "status", "services", "endpoints",
                                      "ring", "wait-ready", "drain", "version"}) {
    CHECK_FALSE(later_command(std::vector<std::string_view>{name, "znode"}).has_value());
  }
  CHECK_FALSE(later_command({}).has_value());
}

TEST_CASE("WrongUsageIs2") {
  for (const auto& row :
       std::vector<std::vector<std::string>>{{},
                                             {"no-such"},
                                             {"endpoints"},
                                             {"check"},
                                             {"status", "--no-such"},
                                             {"status", "--admin", "nonsense"},
                                             {"wait-ready", "--timeout", "soon"},
                                             {"run", "--set", "no-value"},
                                             {"run", "-c", "x.yaml", "--service", "a=b:1"},
                                             {"exec", "-c", "x.yaml"},
                                             {"exec", "--"},
                                             {"exec", "app"},
                                             {"exec", "--no-such", "--", "app"},
                                             {"exec", "-c", "/no/such/file.yaml", "--", "app"},
                                             {"drain", "--timeout", "soon"},
                                             {"drain", "--admin", "nonsense"},
                                             {"run", "-c", "/no/such/file.yaml"}}) {
    CAPTURE(row.size());
    const Outcome outcome = ringside(row);
    CHECK(outcome.status == 2);
    CHECK_FALSE(outcome.err.empty());
  }
}

TEST_CASE("HelpAndVersionAre0") {
  CHECK(ringside({"--help"}).status == 0);
  const Outcome version = ringside({"version"});
  CHECK(version.status == 0);
  CHECK(version.out.starts_with("ringside "));
}

TEST_CASE("CheckNamesEveryProblemAndSaysOkWhenThereIsNone") {
  const TempDir dir;
  const std::string good = dir.path + "/good.yaml";
  const std::string bad = dir.path + "/bad.yaml";
  std::ofstream(good) << "log: {level: info}\n";
  std::ofstream(bad) << "logg: {level: info}\nproxy: {workers: x}\n";
  const Outcome fine = ringside({"check", good});
  CHECK(fine.status == 0);
  CHECK(fine.out == good + ": ok\n");
  const Outcome wrong = ringside({"check", bad});
  CHECK(wrong.status == 2);
  CHECK(has(wrong.err, bad + ":1"));
  CHECK(has(wrong.err, bad + ":2"));
}

TEST_CASE("NobodyThereIs1WithAHint") {
  for (const char* name : {"status", "services", "ring", "drain"}) {
    const Outcome outcome = ringside({name, "--admin", "127.0.0.1:1"});
    CHECK(outcome.status == 1);
    CHECK(has(outcome.err, "127.0.0.1:1"));
    CHECK(has(outcome.err, "--admin"));
  }
  const Outcome waited = ringside({"wait-ready", "--admin", "127.0.0.1:1", "--timeout", "1ms"});
  CHECK(waited.status == 1);
  CHECK(has(waited.err, "not ready after 1ms"));
}

TEST_CASE("AnswersOfAnyTypeAreReadWithoutAnException") {
  CHECK(error_text({404, R"({"error":"no service x","hint":"look"})"}) == "no service x; look");
  CHECK(error_text({404, R"({"error":"no service x","hint":7})"}) == "no service x");
  CHECK(error_text({500, R"({"error":[],"hint":{}})"}) ==
        R"(the admin API answered 500: {"error":[],"hint":{}})");
  CHECK(error_text({200, "\x1b[2J"}) == "the admin API answered 200: ?[2J");
  CHECK(not_ready_reason({503, R"({"ready":false,"reason":"no view"})"}) == "no view");
  CHECK(not_ready_reason({503, "[]"}) == "the admin API answered 503: []");
  CHECK(registered(R"({"registration":{"state":"registered"}})"));
  for (const char* other :
       {"", "[]", "{}", R"({"registration":null})", R"({"registration":{"state":7}})",
        R"({"registration":{"state":"taken"}})", R"({"registration":"registered"})"}) {
    CHECK_FALSE(registered(other));
  }
}

TEST_CASE("WhatADrainWaitsForIsSaidInWords") {
  const auto said = [](const char* text) { return drain_said(text).value(); };
  CHECK(said(R"({"state":"drained","acknowledged":true,"behind":[],"in_flight":0})").state ==
        "drained");
  CHECK(said(R"({"state":"draining","acknowledged":false,"behind":[]})").waiting ==
        "the ring has not answered yet");
  CHECK(said(R"({"state":"draining","acknowledged":true,"behind":[],"in_flight":3})").waiting ==
        "3 calls are under way");
  CHECK(said(R"({"state":"draining","acknowledged":false,
                 "behind":[{"member":2,"address":"10.0.0.6:4150"},{"member":4294967301,"address":""}]})")
            .waiting == "2 sidecars may still send here: 2@10.0.0.6:4150 4294967301@");
  CHECK(said(R"({"state":"draining","behind":[1,{},{"member":"x","address":"\u001b"}]})").waiting ==
        "3 sidecars may still send here: ?@ ?@ ?@?");
  CHECK(said(R"({"state":"draining","behind":[1,2,3,4,5,6]})").waiting.ends_with("and others"));
  for (const char* other : {"", "[]", "{}", "null", R"({"state":7})"}) {
    CHECK_FALSE(drain_said(other).has_value());
  }
}

TEST_CASE("AQueryAsksItsPath") {
  CHECK(path_of("endpoints", "orders") == "/v1/services/orders");
  CHECK(path_of("ring", "") == "/v1/ring");
}

}  // namespace ringside::cli
