// SplicePipe: bytes on their way from one socket to another inside the kernel (splice(2)), which
// moves references to pages where read and write copy twice.
//
// SplicePipes is a loop's stock of them: one serves all connections of a loop as long as the other
// side takes everything at once; whose other side does not keeps its pipe, with the bytes, until
// it does. Loop thread only. Invariants: 1. what is in the stock is empty; 2. at most kMost pipes
// are there at a time (two descriptors each); who gets none copies.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "sidecar/net/socket.h"

namespace ringside::net {

class SplicePipe {
 public:
  // nullptr: no descriptors are left, or the user's share of pipes is used up.
  static std::unique_ptr<SplicePipe> make();

  // Takes up to `limit` bytes that the socket has received, as far as there is room. Gives how
  // many; 0 at the peer's end; an errno as a negative number (-EAGAIN: nothing there).
  ssize_t fill(int socket, std::size_t limit);
  // Hands to the socket what it takes; 0, or an errno as a negative number, but never -EAGAIN.
  int drain(int socket);
  // Takes the first bytes out by copying; gives how many.
  std::size_t read(std::span<char> out);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  Socket in_;   // where bytes go in
  Socket out_;  // where they come out
  std::size_t size_ = 0;
};

class SplicePipes {
 public:
  static constexpr std::size_t kMost = 256;
  static constexpr std::size_t kKept = 2;  // that wait for use

  struct GiveBack {
    SplicePipes* stock = nullptr;
    void operator()(SplicePipe* pipe) const { stock->give(std::unique_ptr<SplicePipe>(pipe)); }
  };
  // Goes back to the stock by itself; what it still holds is lost then.
  using Lease = std::unique_ptr<SplicePipe, GiveBack>;

  // nullptr when there are enough, or SplicePipe::make() has none.
  Lease take();

 private:
  void give(std::unique_ptr<SplicePipe> pipe);

  std::vector<std::unique_ptr<SplicePipe>> kept_;
  std::size_t out_ = 0;
};

}  // namespace ringside::net
