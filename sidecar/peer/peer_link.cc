#include "sidecar/peer/peer_link.h"

namespace ringside::peer {

namespace {

// A burst's memory is not kept for the life of a link.
constexpr std::size_t kKeptBytes = std::size_t{1} << 20U;

}  // namespace

PeerLink::PeerLink(LinkOwner& owner, std::string remote, Instant deadline)
    : owner_(owner), remote_(std::move(remote)), deadline_(deadline) {}

void PeerLink::open(std::unique_ptr<net::TcpStream> stream, const coord::Handshake& ours) {
  stream_ = std::move(stream);
  stream_->set_handler(*this);
  send(*coord::make_frame(coord::encode_handshake(ours)));
  flush();
  if (!closed_) {
    stream_->read_start();
  }
}

void PeerLink::send(const Bytes& frame) {
  if (closed_ || !stream_ || stuck_) {
    return;
  }
  gathered_.append(as_text(frame));
  stuck_ = gathered_.size() + stream_->pending_bytes() > kMaxPendingBytes;
}

void PeerLink::flush() {
  if (closed_ || gathered_.empty()) {
    return;
  }
  // A broken connection is told by on_broken or on_eof; what is left over waits in the stream.
  static_cast<void>(stream_->write(gathered_));
  gathered_.clear();
  if (gathered_.capacity() > kKeptBytes) {
    gathered_.shrink_to_fit();
  }
}

void PeerLink::close() {
  flush();
  closed_ = true;
  stream_.reset();
}

void PeerLink::on_read(std::span<const char> bytes) {
  frames_.feed(as_bytes({bytes.data(), bytes.size()}));
  while (!closed_) {
    const auto payload = frames_.next();
    if (!payload) {
      return end(payload.error().message);
    }
    if (payload->empty()) {
      return;
    }
    const Status taken = take(*payload);
    if (!taken) {
      return end(taken.error().message);
    }
  }
}

Status PeerLink::take(ByteView payload) {
  if (peer_) {
    return owner_.link_frame(*this, payload);
  }
  auto theirs = coord::decode_handshake(payload);
  if (!theirs) {
    return std::unexpected(theirs.error());
  }
  peer_ = *theirs;
  frames_.set_max_frame_bytes(coord::kMaxFrameBytes);
  return owner_.link_greeted(*this, *theirs);
}

void PeerLink::on_eof() {
  end(peer_ ? "it closed the connection"
            : "it closed the connection without a handshake; its log says why");
}

void PeerLink::on_broken(const Error& why) {
  end(why.message);
}

void PeerLink::end(const std::string& reason) {
  if (!closed_) {
    close();
    owner_.link_ended(*this, reason);
  }
}

}  // namespace ringside::peer
