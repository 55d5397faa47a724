// Tunnel: two connections, and every byte of each goes to the other.
//
// Made by Exchange once an Upgrade or a CONNECT has been agreed to, and for raw TCP; worker thread
// only. Refers to both streams, which its owner keeps for as long, and hands their events back to
// the handlers that had them when it goes. Follows RFC 9110, 9.3.6, with half-close: the end of one
// side is passed on as an end while the other direction goes on.
// Invariants: 1. above kHighWater unsent on one side the other is not read, so at most kHighWater
// and one read are held each way; 2. nothing is allocated for a read that the kernel takes at once;
// 3. on_tunnel_end comes once, after it nothing is touched: the owner may destroy the tunnel
// inside.
//
//                 end of one side, passed on                 end of the other
//   both open ────────────────────────────────▶ half closed ──────────────────▶ kFinished
//       │  │  a side takes no more       its last words are passed on │         (all delivered)
//       │  └──────────▶ lost ─────────────────┐                       │
//       │  a reset on either side, no byte either way for `idle`      │
//       └──────────────────────────▶ kReset, kIdle ◀──────────────────┘
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "config/base/error.h"
#include "config/base/time.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/tcp_stream.h"
#include "sidecar/proxy/send_progress.h"

namespace ringside::proxy {

enum class TunnelEnd : std::uint8_t {
  kFinished,         // both sides ended and everything was delivered
  kDownstreamReset,  // the caller broke its connection
  kUpstreamReset,    // the other side did
  kIdle,             // no byte either way for too long
};

class TunnelOwner {
 public:
  // After anything but kFinished the connections should be reset: what each side got may be only a
  // part of what the other sent.
  virtual void on_tunnel_end(TunnelEnd end) = 0;

 protected:
  ~TunnelOwner() = default;
};

struct TunnelSide {
  net::TcpStream& stream;
  net::StreamHandler& handler;  // gets the stream's events back
};

class Tunnel {
 public:
  static constexpr std::size_t kHighWater = 32 * 1024;  // unsent bytes that stop the other side

  Tunnel(net::Loop& loop, const TunnelSide& downstream, const TunnelSide& upstream,
         milliseconds idle, TunnelOwner& owner);
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  // Passes on what was read from either side before and begins to read; `downstream_ended`: so was
  // its end. May end the tunnel.
  void start(std::span<const char> from_downstream, bool downstream_ended,
             std::span<const char> from_upstream);
  // Both peers see a reset; the streams can only be destroyed afterwards.
  void reset_both();

  [[nodiscard]] std::uint64_t bytes_from_downstream() const { return downstream_.count; }
  [[nodiscard]] std::uint64_t bytes_from_upstream() const { return upstream_.count; }

  // When on_deadline is to be called, as things are now.
  [[nodiscard]] Instant due() const;
  void on_deadline(Instant now);

 private:
  // What comes from one side, and goes to `other`.
  struct Side final : net::StreamHandler {
    Side(Tunnel& its_tunnel, const TunnelSide& side, TunnelEnd its_reset)
        : tunnel(its_tunnel), stream(side.stream), handler(side.handler), reset(its_reset) {}
    void on_read(std::span<const char> bytes) override;
    void on_eof() override;
    void on_broken(const Error& why) override;
    void on_drained() override;

    Tunnel& tunnel;
    net::TcpStream& stream;
    net::StreamHandler& handler;
    const TunnelEnd reset;
    Side* other = nullptr;
    std::uint64_t count = 0;
    SendProgress progress;  // of what is written to it
    bool ended = false;     // it says nothing more
    bool lost = false;      // it takes nothing more, but what it said before is still to be read
  };

  // All four: false when the tunnel is over.
  bool pass(Side& from, std::span<const char> bytes);
  bool pass_end(Side& from);
  bool lose(Side& side);
  bool end_if_delivered();
  void end(TunnelEnd how);

  net::Loop& loop_;
  TunnelOwner& owner_;
  const milliseconds idle_;
  Side downstream_;
  Side upstream_;
  Instant last_byte_;
  bool over_ = false;
};

}  // namespace ringside::proxy
