// Good path: start, bytes both ways, the end of one side (half-close towards the other), the end of
// the other, kFinished once all is with the kernel.
// Failure paths: a side is reset (the other is to be reset); a side can't be written to (what it
// had said until then is read and passed on, then the same); one side is slow (the other is not
// read); silence for `idle`, where a peer that takes what is held for it is not silent; a peer that
// has vanished where `idle` is 0 (the kernel asks, and breaks its connection).
#include "sidecar/proxy/tunnel.h"

#include <string_view>

namespace ringside::proxy {

Tunnel::Tunnel(net::Loop& loop, const TunnelSide& downstream, const TunnelSide& upstream,
               milliseconds idle, TunnelOwner& owner)
    : loop_(loop),
      owner_(owner),
      idle_(idle),
      downstream_(*this, downstream, TunnelEnd::kDownstreamReset),
      upstream_(*this, upstream, TunnelEnd::kUpstreamReset),
      last_byte_(loop.coarse_now()) {
  downstream_.other = &upstream_;
  upstream_.other = &downstream_;
  downstream_.stream.set_handler(downstream_);
  upstream_.stream.set_handler(upstream_);
  if (idle_.count() == 0) {  // else a peer that has vanished would hold the other one for ever
    downstream_.stream.ask_if_silent();
    upstream_.stream.ask_if_silent();
  }
}

Tunnel::~Tunnel() {
  downstream_.stream.set_handler(downstream_.handler);
  upstream_.stream.set_handler(upstream_.handler);
}

void Tunnel::start(std::span<const char> from_downstream, bool downstream_ended,
                   std::span<const char> from_upstream) {
  if (pass(downstream_, from_downstream) && pass(upstream_, from_upstream) && downstream_ended) {
    static_cast<void>(pass_end(downstream_));
  }
}

bool Tunnel::pass(Side& from, std::span<const char> bytes) {
  from.count += bytes.size();
  last_byte_ = loop_.coarse_now();
  net::TcpStream& to = from.other->stream;
  const net::WriteResult result = to.write(std::string_view(bytes.data(), bytes.size()));
  if (result == net::WriteResult::kBroken) {
    return lose(*from.other);
  }
  if (result == net::WriteResult::kPending) {
    from.other->progress.note(to);
  }
  if (to.pending_bytes() > kHighWater) {
    from.stream.read_stop();
  } else {
    from.stream.read_start();
  }
  return true;
}

void Tunnel::Side::on_read(std::span<const char> bytes) {
  static_cast<void>(tunnel.pass(*this, bytes));
}

void Tunnel::Side::on_eof() {
  static_cast<void>(tunnel.pass_end(*this));
}

void Tunnel::Side::on_broken(const Error&) {
  stream.read_start();
  if (stream.reading()) {
    static_cast<void>(tunnel.lose(*this));  // it was a write that failed
  } else if (lost) {
    ended = true;
    static_cast<void>(tunnel.end_if_delivered());
  } else {
    tunnel.end(reset);
  }
}

// All that went to this side is with the kernel.
void Tunnel::Side::on_drained() {
  tunnel.last_byte_ = tunnel.loop_.coarse_now();
  progress.note(stream);
  if (tunnel.end_if_delivered() && !lost && !other->ended) {
    other->stream.read_start();
  }
}

bool Tunnel::pass_end(Side& from) {
  from.ended = true;
  last_byte_ = loop_.coarse_now();
  if (!from.lost) {  // else its last words must not look like a proper end
    from.other->stream.shutdown();
  }
  return end_if_delivered();
}

// Nobody takes what the other side says: it is not read any more.
bool Tunnel::lose(Side& side) {
  side.lost = true;
  side.other->stream.read_stop();
  if (side.other->lost) {
    end(side.other->reset);
    return false;
  }
  if (!side.ended) {
    side.stream.read_start();
  }
  return end_if_delivered();
}

bool Tunnel::end_if_delivered() {
  for (const Side* side : {&upstream_, &downstream_}) {
    // Without a limit nobody may wait for a reader that may never read.
    if (side->lost && side->ended &&
        (side->other->stream.pending_bytes() == 0 || idle_.count() == 0)) {
      end(side->reset);
      return false;
    }
  }
  if (!downstream_.ended || !upstream_.ended || downstream_.stream.pending_bytes() > 0 ||
      upstream_.stream.pending_bytes() > 0) {
    return true;
  }
  end(TunnelEnd::kFinished);
  return false;
}

void Tunnel::reset_both() {
  downstream_.stream.reset();
  upstream_.stream.reset();
}

Instant Tunnel::due() const {
  return idle_.count() == 0 ? kNever : last_byte_ + idle_;
}

void Tunnel::on_deadline(Instant now) {
  if (due() > now) {
    return;
  }
  // Who takes what is held for it is alive, though nothing was read meanwhile.
  const bool caller_takes = downstream_.progress.moved(downstream_.stream);
  const bool host_takes = upstream_.progress.moved(upstream_.stream);
  if (caller_takes || host_takes) {
    last_byte_ = now;
    return;
  }
  end(TunnelEnd::kIdle);
}

// May destroy *this.
void Tunnel::end(TunnelEnd how) {
  if (!over_) {
    over_ = true;
    owner_.on_tunnel_end(how);
  }
}

}  // namespace ringside::proxy
