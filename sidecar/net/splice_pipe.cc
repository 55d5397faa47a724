// Good path: fill from one socket, drain to the other, empty again. Failure paths: no descriptors
// (make, take); the sending peer has ended or broken its connection (fill); the other socket takes
// less than is there (drain leaves it), or is broken.
#include "sidecar/net/splice_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace ringside::net {

namespace {

constexpr unsigned kFlags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

}  // namespace

std::unique_ptr<SplicePipe> SplicePipe::make() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) {
    return nullptr;
  }
  auto made = std::make_unique<SplicePipe>();
  made->out_ = Socket(ends[0]);
  made->in_ = Socket(ends[1]);
  return made;
}

ssize_t SplicePipe::fill(int socket, std::size_t limit) {
  const ssize_t moved = ::splice(socket, nullptr, in_.fd(), nullptr, limit, kFlags);
  if (moved < 0) {
    return -errno;
  }
  size_ += static_cast<std::size_t>(moved);
  return moved;
}

int SplicePipe::drain(int socket) {
  while (size_ > 0) {
    const ssize_t moved = ::splice(out_.fd(), nullptr, socket, nullptr, size_, kFlags);
    if (moved < 0) {
      return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    }
    if (moved == 0) {
      return 0;
    }
    size_ -= static_cast<std::size_t>(moved);
  }
  return 0;
}

std::size_t SplicePipe::read(std::span<char> out) {
  const ssize_t count = ::read(out_.fd(), out.data(), out.size());
  if (count <= 0) {
    return 0;
  }
  size_ -= static_cast<std::size_t>(count);
  return static_cast<std::size_t>(count);
}

SplicePipes::Lease SplicePipes::take() {
  if (out_ >= kMost) {
    return nullptr;
  }
  std::unique_ptr<SplicePipe> pipe;
  if (kept_.empty()) {
    pipe = SplicePipe::make();
  } else {
    pipe = std::move(kept_.back());
    kept_.pop_back();
  }
  if (pipe != nullptr) {
    ++out_;
  }
  return {pipe.release(), GiveBack{this}};
}

void SplicePipes::give(std::unique_ptr<SplicePipe> pipe) {
  --out_;
  if (pipe->size() == 0 && kept_.size() < kKept) {
    kept_.push_back(std::move(pipe));
  }
}

}  // namespace ringside::net
