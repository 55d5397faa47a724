// What came of the requests of drill_load: counted by method and outcome, and each failure kept
// whole.
//
// Owned by Loader, one thread. Bounded: of failures beyond kFailuresKept only the number is told.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ringside::drill {

struct Outcome {
  std::uint64_t id = 0;
  bool post = false;
  double due_ms = 0;   // when it was to be sent (the clock of Poller's now_ms)
  double sent_ms = 0;  // when it was; 0: never
  double end_ms = 0;
  int status = 0;               // 0: no whole answer
  std::string_view error = {};  // what else is wrong: closed, reset, timeout, wrong_body ...; empty
  std::string_view cause = {};  // x-ringside-error of the answer
  std::string_view instance = {};  // x-instance of the answer
  std::string_view body = {};      // of the answer
  std::uint64_t answered = 0;      // by the connection before this request
};

class LoadResults {
 public:
  void add(const Outcome& outcome);
  void connection_opened() { ++connections_; }
  // One line of JSON on all that came since the last call.
  std::string take();

 private:
  static constexpr std::size_t kFailuresKept = 2000;
  static constexpr double kLateMs = 50;

  std::map<std::string, std::map<std::string, std::uint64_t>> outcomes_;  // method, what
  std::map<std::string, std::uint64_t, std::less<>> instances_;           // of good answers
  std::vector<std::string> failures_;                                     // JSON
  std::vector<float> took_ms_;                                            // from due to the end
  std::uint64_t late_ = 0;
  std::uint64_t connections_ = 0;
};

}  // namespace ringside::drill
