// Bytes of one stream that go to another inside the kernel.
// Good path: forward; a read event gets a pipe instead of a place to read into, and becomes
// forward_now: from the buffer of one socket into the pipe, and on into that of the other; told.
// Failure paths: the target takes less than is there (the rest stays in the pipe, as `carried`,
// behind a first piece that libuv writes, whose leaving says that there is room again); it has
// bytes pending, there is no pipe, or the socket knows no splice (bytes are read and handed over);
// the sender ends (which a read is to find), or breaks off (as in reading); the target is broken
// (kBroken, or its on_broken); either is destroyed (the link goes with it).
#include <algorithm>
#include <cerrno>
#include <utility>

#include "config/base/check.h"
#include "sidecar/net/tcp_stream_impl.h"

namespace ringside::net {

namespace {

// Of what a pipe holds, this much is written by libuv, which says when there is room for more.
constexpr std::size_t kLeadBytes = 4096;
// So much is moved by one splice, and so often in one turn, while a bulk goes through.
constexpr std::uint64_t kMostMoved = 128 * 1024;
constexpr std::size_t kBulkBytes = 64 * 1024;
constexpr int kMostMoves = 4;
// After so many events for which splice finds nothing, an ordinary read looks.
constexpr int kMostFruitless = 2;

}  // namespace

void TcpStream::forward(TcpStream& to, std::uint64_t limit) {
  CHECK(to.impl_ != impl_);
  impl_->link(to.impl_, limit);
}

void TcpStream::forward_stop() {
  impl_->link(nullptr, 0);
}

bool TcpStream::forwarding() const {
  return impl_->target != nullptr;
}

void TcpStream::Impl::link(Impl* to, std::uint64_t limit) {
  if (limit == 0) {
    to = nullptr;
  }
  if (to != target) {
    if (target != nullptr) {
      target->source = nullptr;
    }
    if (to != nullptr) {
      CHECK(to->source == nullptr);
      to->source = this;
    }
    target = to;
  }
  forward_left = limit;
}

// There is where to, and nothing waits there that a splice would overtake.
bool TcpStream::Impl::forwards() const {
  return target != nullptr && target->pending() == 0 && !target->broken && !target->closing &&
         !target->shutdown_wanted;
}

// A splice stops before an urgent byte, for ever, and takes it for the end if the peer's end is
// behind it; a read goes past it.
bool TcpStream::Impl::splices() const {
  return forwards() && fruitless < kMostFruitless;
}

// `taken` is there. A bulk gets more than one go.
void TcpStream::Impl::forward_now() {
  loop->begin_work();
  SplicePipes::Lease pipe = std::move(taken);
  for (int move = 0; move < kMostMoves; ++move) {
    const ssize_t moved = move_on(std::move(pipe));
    if (moved == 0 || (moved == -EAGAIN && move == 0)) {
      fruitless = moved == 0 ? kMostFruitless : fruitless + 1;
    }
    const bool bulk = moved >= static_cast<ssize_t>(kBulkBytes);
    if (!bulk || owner == nullptr || closing || !reading || !forwards()) {
      return;
    }
    pipe = loop->pipes().take();
  }
}

// Gives what fill() gave.
ssize_t TcpStream::Impl::move_on(SplicePipes::Lease pipe) {
  const ssize_t moved = pipe == nullptr || owner == nullptr || target == nullptr
                            ? -EAGAIN
                            : pipe->fill(fd(), std::min(forward_left, kMostMoved));
  if (moved > 0) {
    Impl* to = target;
    fruitless = 0;
    link(to, forward_left - static_cast<std::uint64_t>(moved));
    const WriteResult result = to->carry(std::move(pipe));
    handler->on_forwarded(static_cast<std::size_t>(moved), result);
    return moved;
  }
  if (moved == -EINVAL) {
    link(nullptr, 0);  // not for such a socket: read() from now on
  } else if (moved < 0 && moved != -EAGAIN && moved != -EINTR) {
    on_bytes(uv_translate_sys_error(static_cast<int>(-moved)));
  }
  return moved;
}

WriteResult TcpStream::Impl::carry(SplicePipes::Lease pipe) {
  written += pipe->size();
  carried = std::move(pipe);
  int error = 0;
  const WriteResult result = send_carried(error);
  broken = result == WriteResult::kBroken;
  return result;
}

// `error`, one of libuv's, is set with kBroken.
WriteResult TcpStream::Impl::send_carried(int& error) {
  error = uv_translate_sys_error(-carried->drain(fd()));
  if (error != 0 || carried->size() == 0) {
    carried.reset();
    return error != 0 ? WriteResult::kBroken : WriteResult::kDone;
  }
  sending.resize(std::min(carried->size(), kLeadBytes));
  sending.resize(carried->read(sending));
  CHECK(!sending.empty());
  send_whole();
  return WriteResult::kPending;
}

}  // namespace ringside::net
