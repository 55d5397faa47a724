// An open loop of requests through one proxy: number i falls due at start + i / rate, whatever came
// back of the others.
//
// Used by drill_load, one thread. Speaks HTTP/1.1 with keep-alive, one request at a time on a
// connection, connections used in turn, and never tries anything again: it counts what a plain
// client sees.
//
// 1. Every request that fell due is counted exactly once, at its end.
// 2. Odd ids are POSTs to /echo, whose body must come back; even ones are GETs of /item/ID, whose
// answer begins with ID. Both
//    carry x-drill-id.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tests/drills/load/load_options.h"
#include "tests/drills/load/load_results.h"
#include "tests/drills/load/message.h"
#include "tests/drills/load/poller.h"

namespace ringside::drill {

class Loader {
 public:
  Loader(Poller& poller, const LoadOptions& options);

  // Sends what is due and looks for what came: one turn of the poller, of a millisecond at most.
  void turn();
  void stop_sending() { stopped_ = true; }
  [[nodiscard]] bool idle() const { return under_way_ == 0; }
  LoadResults& results() { return results_; }

 private:
  struct Call {
    std::uint64_t id = 0;
    double due_ms = 0;
    double sent_ms = 0;
    [[nodiscard]] bool post() const { return id % 2 == 1; }
  };
  struct Connection {
    int fd = -1;
    Message in;
    std::string out;
    std::size_t out_sent = 0;
    std::optional<Call> call;
    std::uint64_t answered = 0;
  };
  struct Waiting {
    double until_ms;
    std::uint64_t connection;
    std::uint64_t call;
  };

  static constexpr std::size_t kConnectionsMost = 4096;

  void begin(Call call);
  Connection* take_connection(std::uint64_t& number);
  void event(std::uint64_t number, std::uint32_t events);
  // False when the connection is lost; errno says why.
  bool flush(Connection& connection);
  void read(std::uint64_t number, Connection& connection);
  void answered(std::uint64_t number, Connection& connection, bool more);
  void end(const Connection& connection, Outcome outcome);
  void lose(std::uint64_t number, Connection& connection, std::string_view why);
  void look_for_timeouts();

  Poller& poller_;
  LoadOptions options_;
  LoadResults results_;
  std::unordered_map<std::uint64_t, Connection> connections_;
  std::deque<std::uint64_t> idle_;
  std::deque<Waiting> waiting_;  // in the order of their ends
  std::uint64_t opened_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t under_way_ = 0;
  double start_ms_;
  bool stopped_ = false;
};

}  // namespace ringside::drill
