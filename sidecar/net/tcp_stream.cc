// Good path: connect (or adopt), read_start, on_read..., write at once by send; what did not fit is
// copied into `waiting` and flushed by one uv_write at a time; shutdown after the last one; close.
// An adopted socket is `fresh` until libuv has to wait for something there: one that is closed
// before costs neither epoll_ctl nor ioctl. Forwarding: tcp_forward.cc.
// Failure paths: connect refused, or by itself only; unreachable (on_broken); read fails
// (on_broken); send fails (kBroken, no callback); a flush fails (on_broken, what is pending is
// dropped); destroyed or reset in any state: libuv calls the outstanding requests back with
// ECANCELED, which `owner == nullptr` makes silent.
#include "sidecar/net/tcp_stream.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "config/base/check.h"
#include "sidecar/net/socket_state.h"
#include "sidecar/net/tcp_stream_impl.h"

namespace ringside::net {

namespace {

// Never a signal, and never a wait, whatever the socket's own mode.
constexpr int kSendFlags = MSG_NOSIGNAL | MSG_DONTWAIT;

Error to_error(const char* what, int uv_error) {
  ErrorCode code = ErrorCode::kIo;
  if (uv_error == UV_ECONNREFUSED) {
    code = ErrorCode::kRefused;
  } else if (uv_error == UV_ETIMEDOUT) {
    code = ErrorCode::kTimeout;
  } else if (uv_error == UV_EHOSTUNREACH || uv_error == UV_ENETUNREACH) {
    code = ErrorCode::kUnavailable;
  }
  return Error{code, fmt::format("{}: {}", what, uv_strerror(uv_error))};
}

}  // namespace

TcpStream::Impl::Requests& TcpStream::Impl::its_requests() {
  if (!requests) {
    requests = std::make_unique<Requests>();
  }
  return *requests;
}

TcpStream::Impl* TcpStream::Impl::make(Loop& loop, StreamHandler& handler) {
  auto* impl = new Impl;
  impl->loop = &loop;
  impl->handler = &handler;
  return impl;
}

// To libuv, if it has not got it yet.
void TcpStream::Impl::open() {
  if (tcp.loop != nullptr) {
    return;
  }
  CHECK(uv_tcp_init(loop->raw(), &tcp) == 0);  // makes no system call
  tcp.data = this;
  if (fresh) {
    CHECK(uv_tcp_open(&tcp, fresh.fd()) ==
          0);  // only for what is no descriptor, or has another owner
    fresh.release();
  }
}

int TcpStream::Impl::fd() {
  if (fresh) {
    return fresh.fd();
  }
  uv_os_fd_t found = -1;
  return uv_fileno(reinterpret_cast<const uv_handle_t*>(&tcp), &found) == 0 ? found : -1;
}

std::unique_ptr<TcpStream> TcpStream::adopt(Loop& loop, Socket socket, StreamHandler& handler) {
  CHECK(socket);
  Impl* impl = Impl::make(loop, handler);
  std::unique_ptr<TcpStream> stream(new TcpStream(impl));
  impl->owner = stream.get();
  impl->fresh = std::move(socket);
  return stream;
}

Result<std::unique_ptr<TcpStream>> TcpStream::connect(Loop& loop, const SocketAddress& address,
                                                      StreamHandler& handler) {
  Impl* impl = Impl::make(loop, handler);
  std::unique_ptr<TcpStream> stream(new TcpStream(impl));
  impl->owner = stream.get();
  uv_connect_t& request = impl->its_requests().connect;
  request.data = impl;
  impl->open();
  uv_tcp_nodelay(&impl->tcp, 1);  // remembered by libuv for when there is a socket
  const int error =
      uv_tcp_connect(&request, &impl->tcp, address.raw(), [](uv_connect_t* done, int status) {
        auto* self = static_cast<Impl*>(done->data);
        self->loop->begin_work();
        if (self->owner == nullptr) {
          return;
        }
        if (status == 0 && connected_to_itself(self->fd())) {
          reset_when_closed(self->fd());  // else the port is taken for a minute
          status = UV_ECONNREFUSED;
        }
        if (status != 0) {
          self->broken = true;
          self->handler->on_broken(to_error("cannot connect", status));
        } else {
          self->handler->on_connected();
        }
      });
  if (error != 0) {
    return std::unexpected(to_error("cannot connect", error));
  }
  return stream;
}

TcpStream::~TcpStream() {
  impl_->owner = nullptr;
  impl_->link(nullptr, 0);
  if (impl_->source != nullptr) {
    impl_->source->link(nullptr, 0);
  }
  if (impl_->fresh) {
    delete impl_;
    return;
  }
  if (!impl_->closing) {
    uv_close(reinterpret_cast<uv_handle_t*>(&impl_->tcp), Impl::destroy);
    return;
  }
  // reset() has begun to close; whoever comes last frees.
  if (impl_->closed) {
    delete impl_;
  }
}

void TcpStream::set_handler(StreamHandler& handler) {
  impl_->handler = &handler;
}

void TcpStream::read_start() {
  if (impl_->ended || impl_->closing || std::exchange(impl_->reading, true)) {
    return;
  }
  impl_->open();
  const int error = uv_read_start(
      impl_->stream(),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto* self = static_cast<Impl*>(handle->data);
        if (self->splices()) {
          self->taken = self->loop->pipes().take();
        }
        // Without a place to read into, libuv says so instead of reading (UV_ENOBUFS).
        const std::size_t most = self->taken != nullptr ? 0 : self->read_limit;
        *buffer = uv_buf_init(self->loop->read_buffer().data(), static_cast<unsigned>(most));
      },
      [](uv_stream_t* stream, ssize_t count, const uv_buf_t*) {
        auto* self = static_cast<Impl*>(stream->data);
        if (self->taken != nullptr) {
          self->forward_now();
        } else {
          self->on_bytes(count);
        }
      });
  CHECK(error == 0);  // only for a stream that is not connected
}

void TcpStream::read_stop() {
  if (std::exchange(impl_->reading, false)) {
    uv_read_stop(impl_->stream());
  }
}

bool TcpStream::reading() const {
  return impl_->reading;
}

std::span<const char> TcpStream::read_now() {
  CHECK(impl_->fresh);
  const auto space = impl_->loop->read_buffer();
  const ssize_t count = ::recv(impl_->fresh.fd(), space.data(), space.size(), MSG_DONTWAIT);
  if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
    impl_->broken = true;  // told once: the loop will find an end
  }
  return space.first(count > 0 ? static_cast<std::size_t>(count) : 0);
}

void TcpStream::Impl::on_bytes(ssize_t count) {
  loop->begin_work();
  fruitless = 0;
  if (owner == nullptr || count == 0) {  // 0: libuv says try later
    return;
  }
  if (count > 0) {
    if (target != nullptr) {
      link(target, forward_left - std::min(forward_left, static_cast<std::uint64_t>(count)));
    }
    handler->on_read(loop->read_buffer().first(static_cast<std::size_t>(count)));
    return;
  }
  uv_read_stop(stream());
  reading = false;
  ended = true;
  if (count == UV_EOF) {
    count = hidden_reset();
  }
  if (count == 0) {
    handler->on_eof();
  } else {
    broken = true;
    handler->on_broken(to_error("cannot read", static_cast<int>(count)));
  }
}

// When bytes and a reset come at once, libuv takes the hang-up behind the bytes for an end; and
// when a write was told of the reset, the kernel does not tell it again.
ssize_t TcpStream::Impl::hidden_reset() {
  return broken ? UV_ECONNRESET : uv_translate_sys_error(pending_error(fd()));
}

bool TcpStream::quiet() const {
  return !impl_->closing && !impl_->broken && !impl_->ended && nothing_to_read(impl_->fd());
}

void TcpStream::read_at_most(std::size_t bytes) {
  CHECK(bytes > 0 && bytes <= Loop::kReadBytes);
  impl_->read_limit = bytes;
}

std::size_t TcpStream::Impl::pending() const {
  return sending.size() + (carried != nullptr ? carried->size() : 0) + waiting.size();
}

WriteResult TcpStream::write(std::span<const std::string_view> pieces, Then then) {
  CHECK(pieces.size() <= kMaxPieces && !impl_->shutdown_wanted);
  if (impl_->broken || impl_->closing) {
    return WriteResult::kBroken;
  }
  for (const std::string_view piece : pieces) {
    impl_->written += piece.size();
  }
  std::size_t written = 0;
  if (impl_->sending.empty()) {
    const ssize_t result = impl_->send_now(pieces, then);
    if (result < 0) {
      impl_->broken = true;
      return WriteResult::kBroken;
    }
    written = static_cast<std::size_t>(result);
  }
  if (impl_->keep_rest(pieces, written)) {
    impl_->flush();
    return WriteResult::kPending;
  }
  return impl_->sending.empty() ? WriteResult::kDone : WriteResult::kPending;
}

// As much as the socket takes at once; negative: it is broken. Nothing is with libuv.
ssize_t TcpStream::Impl::send_now(std::span<const std::string_view> pieces, Then then) {
  const int flags = then == Then::kEndFollows ? kSendFlags | MSG_MORE : kSendFlags;
  std::array<iovec, kMaxPieces> parts;
  msghdr message{};
  message.msg_iov = parts.data();
  for (const std::string_view piece : pieces) {
    if (!piece.empty()) {
      // The kernel takes void* and only reads.
      parts[message.msg_iovlen++] = {const_cast<char*>(piece.data()), piece.size()};
    }
  }
  if (message.msg_iovlen == 0) {
    return 0;
  }
  ssize_t sent = 0;
  do {
    sent = message.msg_iovlen == 1 ? ::send(fd(), parts[0].iov_base, parts[0].iov_len, flags)
                                   : ::sendmsg(fd(), &message, flags);
  } while (sent < 0 && errno == EINTR);
  const bool full = sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS);
  return full ? 0 : sent;
}

// Copies what follows the first `skip` bytes; false when nothing does.
bool TcpStream::Impl::keep_rest(std::span<const std::string_view> pieces, std::size_t skip) {
  bool kept = false;
  for (const std::string_view piece : pieces) {
    if (skip >= piece.size()) {
      skip -= piece.size();
      continue;
    }
    waiting.append(piece.substr(skip));
    skip = 0;
    kept = true;
  }
  return kept;
}

void TcpStream::Impl::flush() {
  if (!sending.empty() || waiting.empty()) {
    return;
  }
  sending.swap(waiting);
  send_whole();
}

void TcpStream::Impl::drop_pending() {
  waiting.clear();
  carried.reset();
}

// `sending`, by libuv, which waits until the socket takes it.
void TcpStream::Impl::send_whole() {
  open();
  uv_write_t& request = its_requests().write;
  request.data = this;
  const uv_buf_t buffer = uv_buf_init(sending.data(), static_cast<unsigned>(sending.size()));
  const int error = uv_write(&request, stream(), &buffer, 1, [](uv_write_t* done, int status) {
    static_cast<Impl*>(done->data)->flushed(status);
  });
  CHECK(error == 0);  // only for a stream that is not connected
}

void TcpStream::Impl::flushed(int status) {
  loop->begin_work();
  sending.clear();
  if (owner == nullptr || closing) {
    return;
  }
  if (status == 0 && carried != nullptr && send_carried(status) == WriteResult::kPending) {
    return;
  }
  if (status != 0) {
    drop_pending();
    if (!std::exchange(broken, true)) {
      handler->on_broken(to_error("cannot write", status));
    }
    return;
  }
  if (!waiting.empty()) {
    flush();
    return;
  }
  // A burst's memory is not kept for the life of an idle connection.
  std::string().swap(sending);
  std::string().swap(waiting);
  if (shutdown_wanted) {
    begin_shutdown();
  }
  handler->on_drained();
}

std::size_t TcpStream::pending_bytes() const {
  return impl_->pending();
}

std::uint64_t TcpStream::written() const {
  return impl_->written;
}

std::size_t TcpStream::unacknowledged() const {
  if (impl_->closing) {
    return 0;
  }
  // libuv counts what is left of `sending` down as the kernel takes it.
  return unacknowledged_bytes(impl_->fd()) + uv_stream_get_write_queue_size(impl_->stream()) +
         impl_->pending() - impl_->sending.size();
}

void TcpStream::ask_if_silent() {
  ask_peer_if_silent(impl_->fd());
}

void TcpStream::shutdown() {
  if (std::exchange(impl_->shutdown_wanted, true) || impl_->broken || impl_->closing) {
    return;
  }
  if (impl_->sending.empty()) {
    impl_->begin_shutdown();
  }
}

void TcpStream::Impl::begin_shutdown() {
  open();
  // A peer that is gone already (ENOTCONN) shows on the reading side.
  uv_shutdown(&its_requests().shutdown, stream(), [](uv_shutdown_t*, int) {});
}

void TcpStream::reset() {
  if (std::exchange(impl_->closing, true)) {
    return;
  }
  impl_->open();
  const auto closed = [](uv_handle_t* handle) {
    auto* self = static_cast<Impl*>(handle->data);
    self->closed = true;
    if (self->owner == nullptr) {
      delete self;
    }
  };
  if (uv_tcp_close_reset(&impl_->tcp, closed) != 0) {
    // libuv refuses while a shutdown is on its way; the kernel does not.
    reset_when_closed(impl_->fd());
    uv_close(reinterpret_cast<uv_handle_t*>(&impl_->tcp), closed);
  }
}

}  // namespace ringside::net
