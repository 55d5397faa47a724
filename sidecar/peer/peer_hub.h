// All links of this member: listens, dials who is to be dialled, holds one link per member.
//
// Owned by sidecar/app, on the control loop's thread. Of two members the one with the greater id
// dials, and only voters are dialled; a call from one that we dial is refused: it means whom we
// were before a rename. Names are resolved anew at each dial. A dial that fails or a link that ends
// is tried again after a pause that doubles from kFirstPause to kLastPause and begins anew once a
// link has stood for kLastPause. Bounds: kMaxGreeting connections may be short of their handshake,
// each for kHandshakeTime; one more takes the place of the oldest, since a member greets at once
// and a flood of silent strangers must not keep it out. kMaxObservers observers have a link; voters
// always find a place, or a ring with so many observers would not form again. kRefusalsTold
// refusals are logged in kRefusalsWindow, the others counted. PeerHandler is called from the loop,
// or from within close(); never from within send().
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/settings.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/tcp_connect.h"
#include "sidecar/net/tcp_listener.h"
#include "sidecar/net/timer.h"
#include "sidecar/net/turn_end_task.h"
#include "sidecar/peer/peer_handler.h"
#include "sidecar/peer/peer_link.h"

namespace ringside::peer {

class PeerHub : public LinkOwner {
 public:
  static constexpr std::size_t kMaxGreeting = 256;
  static constexpr std::size_t kMaxObservers = 4096;
  static constexpr milliseconds kHandshakeTime{2000};
  static constexpr milliseconds kConnectTime{1000};
  static constexpr std::size_t kRefusalsTold = 10;
  static constexpr seconds kRefusalsWindow{60};
  static constexpr milliseconds kFirstPause{20};
  static constexpr milliseconds kLastPause{1000};

  PeerHub(net::Loop& loop, PeerHandler& handler, config::Address listen,
          std::vector<config::Voter> voters, std::size_t max_observers = kMaxObservers);
  ~PeerHub();

  // Listens and begins to dial as `self`. An error: the port cannot be bound.
  Status start(coord::MemberId self);
  // Goes on under another id: every link is closed and dialled anew.
  void rename(coord::MemberId self);
  void stop();

  // Dropped without a link. Leaves at the end of the loop's turn, together with what else goes to
  // that member by then.
  void send(coord::MemberId to, std::shared_ptr<const Bytes> frame);
  // Ends the link; PeerHandler::link_down is called before it returns.
  void close(coord::MemberId peer, const std::string& reason);
  [[nodiscard]] std::uint16_t port() const;

 private:
  struct Dial {
    config::Voter voter;
    std::unique_ptr<net::TcpConnect> connect;
    PeerLink* link = nullptr;  // in greeting_ or links_
    Instant since{};           // the link stands since
    Instant next{};
    Duration pause{};          // before `next`; 0: none yet
    std::string last_problem;  // logged once, until a link has stood
  };

  Status link_greeted(PeerLink& link, const coord::Handshake& theirs) override;
  Status link_frame(PeerLink& link, ByteView payload) override;
  void link_ended(PeerLink& link, const std::string& reason) override;

  void accept(net::Socket socket, const net::SocketAddress& remote);
  [[nodiscard]] bool full_of_observers() const;
  void make_room();
  void tell_refusal(const std::string& what);
  void end_refusals_window();
  void dial(Dial& dial);
  void dialled(Dial& dial, Result<std::unique_ptr<net::TcpStream>> stream);
  void redial_later(Dial& dial, const std::string& problem, bool was_up);
  void on_due();
  void end_bad_links(Instant now);
  // When a dial, a handshake, a stuck link or the refusals want on_due(); and the timer for it.
  [[nodiscard]] Instant due() const;
  void arm();
  [[nodiscard]] bool waits(coord::MemberId id, const Dial& dial) const;
  void flush();
  void close_all();
  std::unique_ptr<PeerLink> take_out(PeerLink& link);
  // Frees the link in a later turn: it may be on the call chain.
  void bury(std::unique_ptr<PeerLink> link);
  void make_dials();
  Dial* dial_of(const PeerLink& link);

  net::Loop& loop_;
  PeerHandler& handler_;
  config::Address listen_;
  std::vector<config::Voter> voters_;
  std::size_t max_observers_;
  coord::MemberId self_;
  std::unique_ptr<net::TcpListener> listener_;
  net::Timer timer_;
  Instant armed_ = kNever;  // for when
  net::TurnEndTask turn_end_;
  std::map<coord::MemberId, Dial> dials_;
  std::vector<std::unique_ptr<PeerLink>> greeting_;
  std::unordered_map<coord::MemberId, std::unique_ptr<PeerLink>> links_;
  std::vector<coord::MemberId> to_flush_;
  bool some_stuck_ = false;
  std::vector<std::unique_ptr<PeerLink>> graveyard_;
  net::Timer undertaker_;
  Instant refusals_since_{};
  std::size_t refusals_ = 0;  // since then
};

}  // namespace ringside::peer
