// A client of the ring: opens a session through some member, keeps an ephemeral, writes and reads,
// moves when its member is gone, and one day closes its session or just dies.
//
// It moves only to a member that has seen what it has seen, as the client protocol demands.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "config/base/rng.h"
#include "coord/registry/request.h"
#include "tests/sim/client_rules.h"
#include "tests/sim/key_histories.h"
#include "tests/sim/member.h"
#include "tests/sim/session_rules.h"
#include "tests/sim/tree_history.h"

namespace ringside::sim {

// What clients share: the ring they call and what is known of all of them.
struct ClientWorld {
  EventQueue& queue;
  Trace& trace;
  SessionRules& sessions;
  TreeHistory& tree;
  SharedRules shared;
  KeyHistories histories;
  std::function<SimMember*(Rng&)> any_member;  // that serves; null: none
  std::function<void(coord::Zxid, SimMember&)> acknowledged;
  std::uint64_t operations = 0;
  std::uint64_t answered = 0;
  std::uint64_t lost = 0;  // outcome unknown to the client
};

class Client {
 public:
  Client(ClientWorld& world, std::uint64_t number, Rng rng);

  void begin();
  // No more operations; the session is touched on until the owner dies.
  void stop_asking() { asking_ = false; }
  void die();
  void close_session();

  [[nodiscard]] bool finished() const { return state_ == State::kGone; }
  [[nodiscard]] bool open() const { return state_ == State::kOpen; }
  // One write by a client that may be idle; `done` hears whether it succeeded.
  void write_once(std::function<void(bool)> done);

 private:
  enum class State { kOpening, kOpen, kGone };

  void open_session();
  // `here`: at the member attached to now.
  void session_opened(const coord::Reply& reply, bool here);
  void make_ephemeral();
  void touch_on();
  void act();
  // True: attached to a member at which the session may be used.
  bool attach();
  bool find_member();
  void resume_session();
  // `seen_before`: by this client, when it asked.
  void session_resumed(const coord::Reply& reply, coord::Zxid seen_before);
  // Asks through the member attached to; `answer` hears kConnectionLoss when that member dies.
  void ask(coord::Request request, std::function<void(const coord::Reply&)> answer);
  void heard(std::uint64_t order, bool is_write, const coord::Reply& reply);

  void write_own_key(std::function<void(bool)> done = {});
  void write_pair();
  void count_up();
  void take_name();
  void sync();
  void read_own();
  void read_key(const std::string& key);
  void expect_pair();
  // --- client_shared.cc: znodes that all clients write and read
  void contend();
  void write_shared(const std::string& path, coord::WriteOp op, KeyOp called);
  void synced_read(const std::string& path);
  void plain_read(const std::string& path);
  // Judges what the member shows of `path`, and gives it.
  std::optional<NodeState> look_at(const std::string& path);
  void watch_names();
  void forget_watches();
  void told(const coord::WatchEvent& event);
  std::string fresh_value();

  ClientWorld& world_;
  Rng rng_;
  std::string name_;
  std::string home_;
  ClientRules rules_;
  State state_ = State::kOpening;
  bool asking_ = true;
  bool opening_ = false;
  coord::SessionId session_;
  Bytes secret_;
  milliseconds timeout_{};
  bool resumed_ = false;   // at the member attached to
  bool resuming_ = false;  // asked for
  SimMember* member_ = nullptr;
  std::uint64_t member_run_ = 0;
  std::uint64_t attachment_ = 0;  // changes whenever it moves
  std::uint64_t next_order_ = 1;
  std::uint64_t next_value_ = 1;
  coord::WatcherId watcher_;                    // its one-shot watches...
  coord::WatcherId all_watcher_;                // ...and a recursive one, on one member
  std::map<std::string, coord::Zxid> watched_;  // path -> what it showed when the watch was set
  std::uint64_t watched_reloads_ = 0;           // of the member, when they were set
};

}  // namespace ringside::sim
