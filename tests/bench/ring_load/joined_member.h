// One member of a ring inside a bench: the production member (links, disk, driver) on a loop that
// the bench turns.
//
// Owned by a mode, on the thread of its loop. It joins as what its settings say: as a voter when
// the voters name its address, else as an observer.
#pragma once

#include <functional>
#include <memory>

#include "sidecar/app/ring_member.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/timer.h"

namespace ringside::bench {

class JoinedMember : private app::RingListener {
 public:
  JoinedMember(net::Loop& loop, const config::Ring& settings);

  // Asks for one write of `ops`; exactly one answer.
  void write(coord::SessionId session, std::vector<coord::WriteOp> ops,
             discovery::RegistryClient::ReplyHandler on_reply);
  // In touch with a leader that has a quorum.
  [[nodiscard]] bool joined() const;
  [[nodiscard]] app::RingMember& ring() { return member_; }

 private:
  void ring_changed(std::span<const coord::Change> changes) override;
  void ring_reloaded() override;
  void ring_moved() override;
  void ring_log(coord::LogSeverity severity, const std::string& message) override;

  app::RingMember member_;
};

// Turns the loop until `condition` holds; gives the program up after `limit`.
void turn_until(net::Loop& loop, const std::function<bool()>& condition, seconds limit,
                const char* what);
// Closes links and disk.
void leave(net::Loop& loop, JoinedMember& member);

}  // namespace ringside::bench
