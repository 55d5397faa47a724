// Links between members as TCP makes them: one connection per pair, each direction ordered, nothing
// lost but by losing the connection, whose two ends learn of it at different times or (behind a
// partition) much later. Members dial again in their own time.
//
// Blocking a direction holds its bytes back; unblocking lets them through in order. link_up and
// frame come by the queue; link_down may come from within close(), so the member puts it off.
//
// A noisy direction does worse than TCP promises: frames come twice, late again, out of order, not
// at all, or with a byte changed (TCP's own sum is weak, and middleboxes rewrite it). Each is
// marked for its receiver, whose production code is not told.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/rng.h"
#include "coord/codec/handshake.h"
#include "tests/sim/trace.h"

namespace ringside::sim {

using coord::MemberId;

enum class Carriage {
  kAsSent,
  kOutOfOrder,  // this frame or one before it came twice, at another place, or not at all
  kChanged,     // its bytes are not those that were sent
};

class NetworkMember {
 public:
  virtual ~NetworkMember() = default;
  [[nodiscard]] virtual bool reachable() const = 0;  // the process is there to accept
  [[nodiscard]] virtual coord::Handshake handshake() const = 0;
  virtual Status accept_peer(const coord::Handshake& theirs) const = 0;
  virtual void link_up(MemberId peer) = 0;
  virtual void link_down(MemberId peer) = 0;
  virtual void frame(MemberId peer, std::shared_ptr<const Bytes> bytes, Carriage how) = 0;
};

class Network {
 public:
  Network(EventQueue& queue, Trace& trace, Rng rng) : queue_(queue), trace_(trace), rng_(rng) {}

  void add(MemberId id, NetworkMember& member);
  void send(MemberId from, MemberId to, std::shared_ptr<const Bytes> frame);
  // One end gives the connection up: it is told at once, the other when the news gets through.
  void close(MemberId from, MemberId to);
  // The process is gone: its ends vanish untold, the others hear of a reset if they can.
  void member_died(MemberId id);
  void break_link(MemberId a, MemberId b);

  void set_blocked(MemberId from, MemberId to, bool blocked);
  // An unplugged member gets no new links; its old ones stay until they break.
  void set_unplugged(MemberId id, bool unplugged);
  // From now on a frame from `from` to `to` is mishandled with that chance; 0: none is.
  void set_noise(MemberId from, MemberId to, double chance);
  void set_latency(Duration low, Duration high) { low_ = low, high_ = high; }
  void set_usual_latency() { set_latency(kUsualLow, kUsualHigh); }
  // Blocks, noise and slowness are over.
  void heal();

 private:
  struct Message {
    Instant arrives;
    std::shared_ptr<const Bytes> frame;
    Carriage how = Carriage::kAsSent;
  };
  struct End {  // of one member; `inbox` holds what travels toward it
    bool up = false;
    bool told = false;  // the member has heard of it
    std::deque<Message> inbox;
    bool pumping = false;
    bool end_of_stream = false;  // the other side is gone: after the inbox comes the reset
    bool lost_one = false;       // a frame before the next one was lost
  };
  struct Link {
    std::uint64_t connection = 0;  // number of the current one; stale events are dropped by it
    bool dialing = false;
    std::map<MemberId, End> ends;
  };
  using Pair = std::pair<MemberId, MemberId>;
  static Pair pair_of(MemberId a, MemberId b) { return a < b ? Pair{a, b} : Pair{b, a}; }

  Duration latency();
  void enqueue(Pair pair, MemberId to, std::shared_ptr<const Bytes> frame, Carriage how);
  void mishandle(Pair pair, MemberId to, std::shared_ptr<const Bytes> frame);
  void dial_later(Pair pair);
  void dial(Pair pair);
  void connect(Pair pair);
  void pump(Pair pair, MemberId to);
  void deliver_head(Pair pair, MemberId to, std::uint64_t connection);
  void drop_end(Pair pair, MemberId at);
  [[nodiscard]] bool blocked(MemberId from, MemberId to) const {
    return blocked_.contains({from, to});
  }

  EventQueue& queue_;
  Trace& trace_;
  Rng rng_;
  static constexpr Duration kUsualLow = microseconds(100);
  static constexpr Duration kUsualHigh = microseconds(1000);
  Duration low_ = kUsualLow;
  Duration high_ = kUsualHigh;
  std::set<MemberId> unplugged_;
  std::map<MemberId, NetworkMember*> members_;
  std::map<Pair, Link> links_;
  // Ordered: from, to.
  std::set<Pair> blocked_;
  std::map<Pair, double> noisy_;
  std::map<Pair, std::shared_ptr<const Bytes>> remembered_;  // may come again, late
};

}  // namespace ringside::sim
