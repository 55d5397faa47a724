// Good path: connect (or adopt), read_start, on_read..., write at once by uv_try_write; what did
// not fit is copied into `waiting` and flushed by one uv_write at a time; shutdown after the last
// one; close.
// Failure paths: connect refused, unreachable (on_broken); read fails (on_broken); try_write fails
// (kBroken, no callback); a flush fails (on_broken, what is pending is dropped); destroyed or reset
// in any state: libuv calls the outstanding requests back with ECANCELED, which `owner == nullptr`
// makes silent.
#include "sidecar/net/tcp_stream.h"

#include <fmt/format.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <uv.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "config/base/check.h"

namespace ringside::net {

namespace {

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

struct TcpStream::Impl {
  // Made when one is needed first: most of the idle ones need none.
  struct Requests {
    uv_connect_t connect{};
    uv_write_t write{};
    uv_shutdown_t shutdown{};
  };

  uv_tcp_t tcp{};
  std::unique_ptr<Requests> requests;
  Loop* loop = nullptr;
  TcpStream* owner = nullptr;  // nullptr once destroyed: no callback any more
  StreamHandler* handler = nullptr;
  std::string sending;        // with libuv until the write request comes back
  std::string waiting;        // follows `sending`
  std::uint64_t written = 0;  // in all
  bool ended = false;         // the peer's end was read
  bool broken = false;        // nothing can be written
  bool shutdown_wanted = false;
  bool reading = false;
  bool closing = false;  // by reset()
  bool closed = false;   // libuv is through with it, the owner is not

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp); }
  Requests& its_requests();
  void flush();
  void flushed(int status);
  void begin_shutdown();
  void on_bytes(ssize_t count);
  ssize_t hidden_reset();
  bool keep_rest(std::span<const std::string_view> pieces, std::size_t skip);

  static Impl* make(Loop& loop, StreamHandler& handler);
  static void destroy(uv_handle_t* handle) { delete static_cast<Impl*>(handle->data); }
};

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
  impl->tcp.data = impl;
  CHECK(uv_tcp_init(loop.raw(), &impl->tcp) == 0);  // makes no system call
  return impl;
}

Result<std::unique_ptr<TcpStream>> TcpStream::adopt(Loop& loop, Socket socket,
                                                    StreamHandler& handler) {
  Impl* impl = Impl::make(loop, handler);
  std::unique_ptr<TcpStream> stream(new TcpStream(impl));
  impl->owner = stream.get();
  if (const int error = uv_tcp_open(&impl->tcp, socket.fd()); error != 0) {
    return std::unexpected(to_error("cannot take over a socket", error));
  }
  socket.release();
  return stream;
}

Result<std::unique_ptr<TcpStream>> TcpStream::connect(Loop& loop, const SocketAddress& address,
                                                      StreamHandler& handler) {
  Impl* impl = Impl::make(loop, handler);
  std::unique_ptr<TcpStream> stream(new TcpStream(impl));
  impl->owner = stream.get();
  uv_connect_t& request = impl->its_requests().connect;
  request.data = impl;
  uv_tcp_nodelay(&impl->tcp, 1);  // remembered by libuv for when there is a socket
  const int error =
      uv_tcp_connect(&request, &impl->tcp, address.raw(), [](uv_connect_t* done, int status) {
        auto* self = static_cast<Impl*>(done->data);
        self->loop->begin_work();
        if (self->owner == nullptr) {
          return;
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
  const int error = uv_read_start(
      impl_->stream(),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        const auto space = static_cast<Impl*>(handle->data)->loop->read_buffer();
        *buffer = uv_buf_init(space.data(), static_cast<unsigned>(space.size()));
      },
      [](uv_stream_t* stream, ssize_t count, const uv_buf_t*) {
        static_cast<Impl*>(stream->data)->on_bytes(count);
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

void TcpStream::Impl::on_bytes(ssize_t count) {
  loop->begin_work();
  if (owner == nullptr || count == 0) {  // 0: libuv says try later
    return;
  }
  if (count > 0) {
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

// When bytes and a reset come at once, libuv takes the hang-up behind the bytes for an end.
ssize_t TcpStream::Impl::hidden_reset() {
  uv_os_fd_t fd = -1;
  int error = 0;
  socklen_t size = sizeof error;
  if (uv_fileno(reinterpret_cast<const uv_handle_t*>(&tcp), &fd) != 0 ||
      ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
    return 0;
  }
  return uv_translate_sys_error(error);
}

bool TcpStream::quiet() const {
  uv_os_fd_t fd = -1;
  if (impl_->closing || impl_->broken || impl_->ended ||
      uv_fileno(reinterpret_cast<const uv_handle_t*>(&impl_->tcp), &fd) != 0) {
    return false;
  }
  char byte = 0;
  const ssize_t count = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

WriteResult TcpStream::write(std::span<const std::string_view> pieces) {
  CHECK(pieces.size() <= kMaxPieces && !impl_->shutdown_wanted);
  if (impl_->broken || impl_->closing) {
    return WriteResult::kBroken;
  }
  for (const std::string_view piece : pieces) {
    impl_->written += piece.size();
  }
  std::size_t written = 0;
  if (impl_->sending.empty()) {
    std::array<uv_buf_t, kMaxPieces> buffers;
    unsigned count = 0;
    for (const std::string_view piece : pieces) {
      if (!piece.empty()) {
        // libuv takes char* and only reads.
        buffers[count++] =
            uv_buf_init(const_cast<char*>(piece.data()), static_cast<unsigned>(piece.size()));
      }
    }
    if (count == 0) {
      return WriteResult::kDone;
    }
    const int result = uv_try_write(impl_->stream(), buffers.data(), count);
    if (result < 0 && result != UV_EAGAIN) {
      impl_->broken = true;
      return WriteResult::kBroken;
    }
    written = result > 0 ? static_cast<std::size_t>(result) : 0;
  }
  if (impl_->keep_rest(pieces, written)) {
    impl_->flush();
    return WriteResult::kPending;
  }
  return impl_->sending.empty() ? WriteResult::kDone : WriteResult::kPending;
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
  if (status != 0) {
    waiting.clear();
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
  return impl_->sending.size() + impl_->waiting.size();
}

std::uint64_t TcpStream::written() const {
  return impl_->written;
}

std::size_t TcpStream::unacknowledged() const {
  uv_os_fd_t fd = -1;
  int queued = 0;
  if (impl_->closing || uv_fileno(reinterpret_cast<const uv_handle_t*>(&impl_->tcp), &fd) != 0 ||
      ::ioctl(fd, SIOCOUTQ, &queued) != 0) {
    return 0;
  }
  // libuv counts what is left of `sending` down as the kernel takes it.
  return static_cast<std::size_t>(queued) + uv_stream_get_write_queue_size(impl_->stream()) +
         impl_->waiting.size();
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
  // A peer that is gone already (ENOTCONN) shows on the reading side.
  uv_shutdown(&its_requests().shutdown, stream(), [](uv_shutdown_t*, int) {});
}

void TcpStream::reset() {
  if (std::exchange(impl_->closing, true)) {
    return;
  }
  const auto closed = [](uv_handle_t* handle) {
    auto* self = static_cast<Impl*>(handle->data);
    self->closed = true;
    if (self->owner == nullptr) {
      delete self;
    }
  };
  if (uv_tcp_close_reset(&impl_->tcp, closed) != 0) {
    // libuv refuses while a shutdown is on its way; the kernel does not.
    uv_os_fd_t fd = -1;
    if (uv_fileno(reinterpret_cast<const uv_handle_t*>(&impl_->tcp), &fd) == 0) {
      const linger at_once{.l_onoff = 1, .l_linger = 0};
      static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
    }
    uv_close(reinterpret_cast<uv_handle_t*>(&impl_->tcp), closed);
  }
}

}  // namespace ringside::net
