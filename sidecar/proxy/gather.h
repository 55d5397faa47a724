// Collects what goes to one connection during one turn: heads and small pieces in a buffer that
// keeps its capacity, large pieces of bodies where they lie, and sends all by one writev.
//
// One per worker and direction, shared by all its connections, so that no connection needs a
// buffer of its own; filled and flushed within one callback. Invariants: 1. empty between
// callbacks; 2. what body() was given must stay valid until flush().
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "sidecar/net/tcp_stream.h"

namespace ringside::proxy {

class Gather {
 public:
  // Where small things are appended.
  std::string& text() { return text_; }
  void body(std::string_view bytes);
  [[nodiscard]] bool empty() const { return count_ == 0 && text_.empty(); }
  [[nodiscard]] std::size_t size() const { return large_bytes_ + text_.size(); }

  // Writes all and is empty again, whatever the result.
  net::WriteResult flush(net::TcpStream& stream,
                         net::TcpStream::Then then = net::TcpStream::Then::kAnything);
  void clear();

 private:
  // Copying this much is cheaper than another piece in the writev.
  static constexpr std::size_t kCopyBytes = 2048;
  static constexpr std::size_t kKeepBytes = 256 * 1024;

  struct Piece {
    const char* data = nullptr;  // nullptr: `begin` in text_, which may still move
    std::size_t begin = 0;
    std::size_t size = 0;
  };
  void seal_text();

  std::string text_;
  std::array<Piece, net::TcpStream::kMaxPieces> pieces_;
  std::size_t count_ = 0;
  std::size_t sealed_ = 0;  // how much of text_ is in a piece
  std::size_t large_bytes_ = 0;
};

}  // namespace ringside::proxy
