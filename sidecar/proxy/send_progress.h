// SendProgress: tells a peer that reads slowly from one that reads no more, when a timeout wants to
// know.
//
// What a connection keeps says little: the kernel takes megabytes, and then nothing until a good
// part of them is gone. So how much the peer had acknowledged is noted when bytes are held back,
// and looked at again when the time is up; what was written meanwhile makes no difference. One
// system call for each note and look, and none while a peer keeps up.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sidecar/net/tcp_stream.h"

namespace ringside::proxy {

class SendProgress {
 public:
  void forget() { left_ = 0; }
  // Bytes are held back, or have just left.
  void note(const net::TcpStream& stream) {
    left_ = stream.unacknowledged();
    taken_ = static_cast<std::int64_t>(stream.written()) - static_cast<std::int64_t>(left_);
  }
  // The peer has taken something since the note, or the last look.
  bool moved(const net::TcpStream& stream) {
    if (left_ == 0) {
      return false;
    }
    const std::int64_t before = taken_;
    note(stream);
    return taken_ > before;
  }

 private:
  std::size_t left_ = 0;    // that the peer had not acknowledged
  std::int64_t taken_ = 0;  // of all ever written, what it had; the kernel may count overhead
};

}  // namespace ringside::proxy
