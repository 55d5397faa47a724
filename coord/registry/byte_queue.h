// Bytes written at one end and taken from the other in other portions, without moving what waits.
// Value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <utility>

#include "config/base/bytes.h"

namespace ringside::coord {

class ByteQueue {
 public:
  // To write to; never taken back, so that what stands in view() after begin_at stays there until
  // the next call of close() or take().
  [[nodiscard]] ByteWriter& writer() { return open_; }
  // To be called between two things written: keeps the pieces small.
  void close_if_large() {
    if (open_.size() >= kPieceBytes) {
      close();
    }
  }
  [[nodiscard]] std::size_t size() const { return closed_bytes_ - taken_ + open_.size(); }

  // The first `bytes`, or all.
  Bytes take(std::size_t bytes) {
    close();
    Bytes out;
    out.reserve(std::min(bytes, size()));
    while (!pieces_.empty() && out.size() < bytes) {
      const ByteView rest = ByteView(pieces_.front()).subspan(taken_);
      const ByteView part = rest.first(std::min(rest.size(), bytes - out.size()));
      out.insert(out.end(), part.begin(), part.end());
      taken_ += part.size();
      if (taken_ == pieces_.front().size()) {
        closed_bytes_ -= std::exchange(taken_, 0);
        pieces_.pop_front();
      }
    }
    return out;
  }

 private:
  static constexpr std::size_t kPieceBytes = 64U << 10U;

  void close() {
    if (open_.size() > 0) {
      closed_bytes_ += open_.size();
      pieces_.push_back(open_.take());
      open_ = ByteWriter(kPieceBytes);
    }
  }

  ByteWriter open_;
  std::deque<Bytes> pieces_;
  std::size_t closed_bytes_ = 0;
  std::size_t taken_ = 0;  // of the first piece
};

}  // namespace ringside::coord
