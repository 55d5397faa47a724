// What the peer room needs of the member it carries frames for. Implemented by sidecar/app over
// coord::Driver.
//
// Called on the control loop's thread; from within a PeerHub call only link_down, by close().
#pragma once

#include "config/base/error.h"
#include "coord/codec/handshake.h"
#include "coord/driver.h"

namespace ringside::peer {

class PeerHandler {
 public:
  virtual ~PeerHandler() = default;
  // What this member says first on every link.
  [[nodiscard]] virtual coord::Handshake handshake() const = 0;
  // An error refuses the peer; its message is logged.
  virtual Status accept_peer(const coord::Handshake& theirs) const = 0;
  virtual void link_up(const coord::Handshake& peer) = 0;
  virtual void link_down(coord::MemberId peer) = 0;
  // A whole payload; an error closes the link with its message as the logged reason.
  virtual Status frame(coord::MemberId peer, ByteView payload) = 0;
  // A line for the log: who was refused or lost, and why.
  virtual void peer_log(coord::LogSeverity severity, const std::string& message) = 0;
};

}  // namespace ringside::peer
