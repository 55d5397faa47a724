// One connection to another member: handshake first, then frames both ways.
//
// Owned by PeerHub, on the control loop's thread. Good path: our handshake leaves at once, theirs
// arrives within the deadline and is accepted, frames flow. Failure paths, each told once to the
// hub with a reason: their first frame is no handshake, they are refused, a frame fails its check
// or its length is over the bound, the member rejects a frame, the connection ends or breaks.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "coord/codec/handshake.h"
#include "sidecar/net/tcp_stream.h"

namespace ringside::peer {

class PeerLink;

class LinkOwner {
 public:
  // Their handshake. An error refuses them.
  virtual Status link_greeted(PeerLink& link, const coord::Handshake& theirs) = 0;
  virtual Status link_frame(PeerLink& link, ByteView payload) = 0;
  // The link is of no more use. It stays valid until the call chain has returned.
  virtual void link_ended(PeerLink& link, const std::string& reason) = 0;

 protected:
  ~LinkOwner() = default;
};

class PeerLink : private net::StreamHandler {
 public:
  static constexpr std::size_t kMaxPendingBytes = std::size_t{128} << 20U;

  PeerLink(LinkOwner& owner, std::string remote, Instant deadline);
  // Takes the connection and sends our handshake.
  void open(std::unique_ptr<net::TcpStream> stream, const coord::Handshake& ours);

  // For the stream to be made with.
  [[nodiscard]] net::StreamHandler& handler() { return *this; }

  // Gathers the frame; flush() writes all that was gathered, in one system call as a rule. Neither
  // tells the owner anything: the caller may be in the middle of its work (see stuck()).
  void send(const Bytes& frame);
  void flush();
  [[nodiscard]] bool gathering() const { return !gathered_.empty(); }
  // They do not read: more than kMaxPendingBytes wait. Frames are dropped from then on; the owner
  // is to end the link.
  [[nodiscard]] bool stuck() const { return stuck_; }
  // Stops everything, once the kernel has taken what it takes at once of what was gathered; no call
  // to the owner comes after.
  void close();

  [[nodiscard]] const std::optional<coord::Handshake>& peer() const { return peer_; }
  [[nodiscard]] const std::string& remote() const { return remote_; }
  [[nodiscard]] Instant handshake_deadline() const { return deadline_; }
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  void on_read(std::span<const char> bytes) override;
  void on_eof() override;
  void on_broken(const Error& why) override;
  Status take(ByteView payload);
  void end(const std::string& reason);

  LinkOwner& owner_;
  std::string remote_;
  Instant deadline_;
  std::unique_ptr<net::TcpStream> stream_;
  std::string gathered_;
  coord::FrameReader frames_{coord::kMaxHandshakeBytes};
  std::optional<coord::Handshake> peer_;
  bool closed_ = false;
  bool stuck_ = false;
};

}  // namespace ringside::peer
