// The app of the drills: GET /item/ID answers "ID NAME", POST sends its body back, GET /healthz is
// 200.
//
// Used by drill_app, one thread. It stops as a good server does: accepts what has connected,
// answers what is under way with `connection: close`, closes what is idle, ends. Every connection
// that it closes by itself is a line on stdout, with the requests answered on it and what it left
// unread:
//
//   closed WHY port=PEER answered=N unread=BYTES id=ID at=SECONDS      WHY: idle, limit, stop, cut
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tests/drills/load/app_record.h"
#include "tests/drills/load/message.h"
#include "tests/drills/load/poller.h"

namespace ringside::drill {

struct AppOptions {
  int port = 0;
  std::string name;
  std::string record;         // file of AppRecord
  std::size_t ids = 1 << 20;  // that have room in it
  double delay_ms = 0;        // of every answer but a health check's
  double idle_ms = 0;         // connections idle for longer are closed; 0: never
  int keep_alive_s = 0;       // announced as Keep-Alive: timeout=; 0: not
  int close_after = 0;        // answers on one connection; 0: no limit
  bool cut = false;           // a stop closes every connection at once, answered or not
};

class AppServer {
 public:
  AppServer(Poller& poller, AppOptions options);

  void turn();
  void stop();
  // It has stopped and every connection is closed.
  [[nodiscard]] bool over() const { return stopping_ && connections_.empty(); }

 private:
  struct Connection {
    int fd = -1;
    Message in;
    std::string left;  // bytes of the next request
    std::string out;
    std::size_t out_sent = 0;
    std::uint64_t id = 0;  // of the request under way
    bool busy = false;     // from a request's first byte to its answer's last
    bool waiting = false;  // for the delay
    bool last = false;     // closed after this answer
    std::uint64_t answered = 0;
    double idle_since_ms = 0;
  };
  struct Delayed {
    double due_ms;
    std::uint64_t connection;
  };

  void accept_all();
  void event(std::uint64_t number, std::uint32_t events);
  void read(std::uint64_t number, Connection& connection);
  void take(std::uint64_t number, Connection& connection);
  void respond(std::uint64_t number, Connection& connection);
  void flush(std::uint64_t number, Connection& connection);
  void answered(std::uint64_t number, Connection& connection);
  // Closed by us: said on stdout. By the other side: not.
  void close(std::uint64_t number, Connection& connection, std::string_view why);

  Poller& poller_;
  AppOptions options_;
  AppRecord record_;
  int listener_;
  std::unordered_map<std::uint64_t, Connection> connections_;
  std::deque<Delayed> delayed_;
  std::uint64_t accepted_ = 0;
  bool stopping_ = false;
};

}  // namespace ringside::drill
