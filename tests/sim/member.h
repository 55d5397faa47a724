// One member of the simulated ring: a process that runs the production Driver and may be killed,
// cut off power, paused, and given a clock that runs fast or slow. It turns what the Driver does
// into network messages, disk batches and calls to its observer.
//
// The Driver is never called from within one of its own calls: everything comes by the queue.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "coord/driver.h"
#include "tests/sim/disk.h"
#include "tests/sim/network.h"
#include "tests/sim/watch_rules.h"

namespace ringside::sim {

class SimMember;

// Who looks on: the rules. Called while the driver is in the middle of a call; may read its
// registry, must not call it.
class MemberObserver {
 public:
  virtual ~MemberObserver() = default;
  virtual void started(SimMember& member) = 0;
  virtual void applied(SimMember& member, coord::Zxid zxid,
                       std::span<const coord::Change> changes) = 0;
  virtual void reloaded(SimMember& member, coord::Zxid zxid) = 0;
  // A frame leaves; without its header.
  virtual void sent(SimMember& from, MemberId to, ByteView payload) = 0;
  // After each call into the driver.
  virtual void stepped(SimMember& member) = 0;
};

class SimMember final : public coord::DriverPorts, public NetworkMember {
 public:
  using Answer = std::function<void(const coord::Reply&)>;
  using WatchListener = std::function<void(const coord::WatchEvent&)>;

  SimMember(EventQueue& queue, Trace& trace, Network& network, MemberObserver& observer,
            coord::DriverOptions options, bool voter, Rng rng);

  // --- what may happen to it
  void start();
  void crash(bool power);
  void pause(Duration how_long);
  void set_clock_rate(double rate);
  // Of the wall clock alone, as an operator or a time server does.
  void jump_wall_clock(milliseconds by) { wall_offset_ += by; }
  SimDisk& disk() { return disk_; }

  // --- clients of it
  [[nodiscard]] bool serving() const { return driver_ != nullptr && !paused_ && !fenced_; }
  // The answer comes by the queue, at most once; never when the member dies first.
  void submit(coord::Request request, Answer answer);
  void touch(coord::SessionId session);
  void hand_over();
  // The listener is called from within the driver's call and must not call the member. Needs
  // serving().
  void watch(coord::WatcherId watcher, coord::WatchKind kind, const std::string& path,
             WatchListener listener);
  void unwatch(coord::WatcherId watcher);

  [[nodiscard]] MemberId id() const { return options_.self; }
  [[nodiscard]] bool voter() const { return voter_; }
  [[nodiscard]] bool up() const { return driver_ != nullptr; }
  [[nodiscard]] bool paused() const { return paused_; }
  [[nodiscard]] bool fenced_out() const { return fenced_; }
  [[nodiscard]] std::uint64_t run() const { return run_; }
  // How often its tree was replaced: watches do not tell what changed by that.
  [[nodiscard]] std::uint64_t reloads() const { return reloads_; }
  [[nodiscard]] const coord::Driver& driver() const { return *driver_; }
  // Zxid up to which reads here are complete; an observer's tree may be older than its view.
  [[nodiscard]] coord::Zxid view() const {
    return voter_ ? driver_->registry().applied() : driver_->status().applied;
  }
  [[nodiscard]] std::size_t unanswered() const { return answers_.size(); }

  // --- NetworkMember
  [[nodiscard]] bool reachable() const override { return serving(); }
  [[nodiscard]] coord::Handshake handshake() const override { return driver_->handshake(); }
  Status accept_peer(const coord::Handshake& theirs) const override {
    return driver_->accept_peer(theirs);
  }
  void link_up(MemberId peer) override;
  void link_down(MemberId peer) override;
  void frame(MemberId peer, std::shared_ptr<const Bytes> bytes, Carriage how) override;

  // --- DriverPorts
  void send(MemberId to, std::shared_ptr<const Bytes> frame) override;
  void close_link(MemberId peer, std::string reason) override;
  void reply(coord::RequestId request, coord::Reply reply) override;
  void applied(coord::Zxid zxid, std::span<const coord::Change> changes) override;
  void reloaded(coord::Zxid zxid) override;
  void watch_event(const coord::WatchEvent& event) override;
  void fenced(const Error& reason) override;
  void log(coord::LogSeverity severity, std::string message) override;

 private:
  // The receiving end of a link, as sidecar/peer's PeerLink has it.
  struct Inlet {
    coord::FrameReader frames{coord::kMaxFrameBytes};
    Carriage worst = Carriage::kAsSent;  // of what came since the link opened
    bool closed = false;
  };
  void take_bytes(MemberId peer, ByteView bytes, Carriage how);
  // Runs `work` now, or after the pause, unless the process is another by then.
  void call(std::function<void()> work);
  void do_call(const std::function<void()>& work);
  void plan_timer();
  void timer(std::uint64_t run);
  [[nodiscard]] Instant local_now() const;
  [[nodiscard]] Instant global_of(Instant local) const;
  [[nodiscard]] WallTime wall() const;
  void port_used(const char* name) const;
  bool disk_excuses(const std::string& reason, const char* excuse) const;

  EventQueue& queue_;
  Trace& trace_;
  Network& network_;
  MemberObserver& observer_;
  coord::DriverOptions options_;
  bool voter_;
  Rng rng_;
  SimDisk disk_;
  std::unique_ptr<coord::Driver> driver_;

  std::uint64_t run_ = 0;
  bool starting_ = false;
  bool in_call_ = false;
  bool fenced_ = false;
  bool paused_ = false;
  std::deque<std::function<void()>> waiting_;  // while paused
  Instant timer_at_ = kNever;                  // the earliest one planned, in global time
  std::map<coord::RequestId, Answer> answers_;
  std::vector<coord::LocalRequest> asked_;  // go to the driver together
  std::map<MemberId, Inlet> inlets_;
  WatchRules watch_rules_;
  std::map<coord::WatcherId, WatchListener> listeners_;
  std::uint64_t reloads_ = 0;
  std::uint64_t next_request_ = 1;  // anew in each run, as in a process

  double clock_rate_ = 1;
  Instant clock_base_{};   // local time...
  Instant clock_since_{};  // ...at this global time
  milliseconds wall_offset_{};
};

}  // namespace ringside::sim
