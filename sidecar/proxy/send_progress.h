// SendProgress: tells a peer that reads slowly from one that reads no more, when a timeout wants to
// know.
//
// What a connection keeps says little: the kernel takes megabytes, and then nothing until a good
// part of them is gone. So the time at which bytes were last held back is noted with how much the
// peer had not acknowledged, and looked at again when the time is up. One system call for each
// note and look, and none while a peer keeps up.
#pragma once

#include <cstddef>
#include <utility>

#include "sidecar/net/tcp_stream.h"

namespace ringside::proxy {

class SendProgress {
 public:
  void forget() { left_ = 0; }
  // Bytes are held back, or have just left.
  void note(const net::TcpStream& stream) { left_ = stream.unacknowledged(); }
  // The peer has taken something since the note, or the last look.
  bool moved(const net::TcpStream& stream) {
    if (left_ == 0) {
      return false;
    }
    const std::size_t before = std::exchange(left_, stream.unacknowledged());
    return left_ < before;
  }

 private:
  std::size_t left_ = 0;
};

}  // namespace ringside::proxy
