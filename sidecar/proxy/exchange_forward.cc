// Large bodies go from socket to socket inside the kernel, as long as nobody has to look at them:
// counted ones, or such as end with the connection; not chunks. What was read with the head, or is
// held for another try, goes by copying; so does what comes while bytes are pending.
#include "sidecar/proxy/downstream.h"
#include "sidecar/proxy/exchange.h"

namespace ringside::proxy {

namespace {

// What is left of a body is worth the two system calls that forwarding costs at least.
constexpr std::uint64_t kWorthIt = 32 * 1024;

// True when what comes from `from` now goes straight to `to`.
bool forwards(net::TcpStream& from, net::TcpStream& to, std::uint64_t left) {
  if (left >= kWorthIt || from.forwarding()) {
    from.forward(to, left);
  }
  return from.forwarding();
}

}  // namespace

// Behind what is kept for another try, a request can't be repeated anyway.
bool Exchange::forward_request() {
  if (request_done_ || replayable_ || upstream_broken_) {
    return false;
  }
  return forwards(downstream_->stream(), connection_->stream(),
                  downstream_->parser().unseen_left());
}

bool Exchange::forward_response() {
  if (phase_ != Phase::kResponding || chunked_out_) {
    return false;
  }
  return forwards(connection_->stream(), downstream_->stream(),
                  connection_->parser().unseen_left());
}

void Exchange::on_forwarded(std::size_t bytes, net::WriteResult result) {
  bytes_in_ += bytes;
  last_byte_ = context_.loop.coarse_now();
  if (result == net::WriteResult::kBroken) {
    upstream_broken_ = true;
  } else if (result == net::WriteResult::kPending) {
    progress_.note(connection_->stream());
  }
}

bool Exchange::on_upstream_forwarded(std::size_t bytes, net::WriteResult result) {
  bytes_out_ += bytes;
  if (result == net::WriteResult::kBroken) {
    abandon();
    downstream_->close();
    return false;
  }
  if (result == net::WriteResult::kPending) {
    downstream_->note_unsent();
  }
  return true;
}

}  // namespace ringside::proxy
