// One TCP connection: bytes in by callback, bytes out by one gathered write.
//
// Owned by who talks on it; loop thread only. Destroying it, also from inside any of its own
// callbacks, closes the connection; libuv's memory is freed later, in the close callback, and no
// callback comes after the destruction.
// Invariants: 1. what a read hands over lies in the loop's shared buffer and is gone after the
// call; 2. write() tries the socket at once and keeps a copy only of what did not fit; the caller
// bounds it by looking at pending_bytes(); 3. after kBroken or on_broken nothing can be written;
// what the peer had sent may still be read; 4. callbacks come only from the loop, never from inside
// a call of ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "config/base/error.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/socket.h"

namespace ringside::net {

enum class WriteResult {
  kDone,     // all with the kernel
  kPending,  // the rest is kept and follows; on_drained says when
  kBroken,   // the connection can't be written to any more; nothing is kept
};

class StreamHandler {
 public:
  virtual void on_read(std::span<const char> bytes) = 0;
  // The peer sends nothing more; writing goes on.
  virtual void on_eof() = 0;
  // Connecting, reading or writing failed (once for each); kRefused, kTimeout, kUnavailable or kIo.
  virtual void on_broken(const Error& why) = 0;
  virtual void on_connected() {}
  // So many bytes have come and gone on to where forward() says; what became of them there is told
  // as write() tells it.
  virtual void on_forwarded(std::size_t, WriteResult) {}
  // All that was pending is with the kernel.
  virtual void on_drained() {}

 protected:
  ~StreamHandler() = default;
};

class TcpStream {
 public:
  // Takes over a connected socket, e.g. from a TcpListener. The loop learns of it when there is
  // something to wait for: by read_start(), a write() that does not fit, or shutdown().
  static std::unique_ptr<TcpStream> adopt(Loop& loop, Socket socket, StreamHandler& handler);
  // Begins to connect: on_connected or on_broken follows, with no time limit (see TcpConnect).
  static Result<std::unique_ptr<TcpStream>> connect(Loop& loop, const SocketAddress& address,
                                                    StreamHandler& handler);
  ~TcpStream();
  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;

  // Who is told from now on.
  void set_handler(StreamHandler& handler);

  // Only once connected; both may be repeated. After on_eof reading is stopped for good.
  void read_start();
  void read_stop();
  [[nodiscard]] bool reading() const;
  // Only of an adopted one, before its first read_start(): what is there already, in the loop's
  // buffer (one system call); empty where nothing is, or an end, which read_start() tells then.
  [[nodiscard]] std::span<const char> read_now();

  // A read takes at most so many bytes at a time, until told otherwise; at first Loop::kReadBytes.
  void read_at_most(std::size_t bytes);

  // The next `limit` bytes that come may go straight to `to`, without being read (splice(2)): told
  // by on_forwarded, once for each piece. Some may come by on_read all the same (while `to` has
  // bytes pending, or no pipe is free) and count too; the handler passes them on itself, in order.
  // Ends after `limit` bytes, when either stream is destroyed, or by forward_stop(). Anew: replaces
  // `to` and `limit`. A stream is the target of one other at most.
  void forward(TcpStream& to, std::uint64_t limit);
  void forward_stop();
  [[nodiscard]] bool forwarding() const;

  // Asks the kernel (one system call): nothing unread is there, neither bytes nor the peer's end.
  // For the moment before a use that can't be repeated: an event may be waiting to be delivered.
  [[nodiscard]] bool quiet() const;

  // Sends the pieces in order, by one writev as far as the socket takes them. At most kMaxPieces.
  // kEndFollows: shutdown() or destruction comes at once, and the end goes in the last segment.
  static constexpr std::size_t kMaxPieces = 16;
  enum class Then : std::uint8_t { kAnything, kEndFollows };
  [[nodiscard]] WriteResult write(std::span<const std::string_view> pieces,
                                  Then then = Then::kAnything);
  [[nodiscard]] WriteResult write(std::string_view bytes) { return write({&bytes, 1}); }
  [[nodiscard]] std::size_t pending_bytes() const;
  // All bytes ever given to write().
  [[nodiscard]] std::uint64_t written() const;
  // Of all that was written, what the peer's kernel has not acknowledged yet (one system call):
  // what is pending, and what our kernel holds. 0 when that can't be known.
  [[nodiscard]] std::size_t unacknowledged() const;

  // From now on the kernel asks a peer that is silent whether it is still there, and breaks the
  // connection (on_broken) two minutes after the last word of one that is not. For what has no time
  // limit of its own.
  void ask_if_silent();

  // Half-close: after what is pending, the peer reads the end. Nothing may be written afterwards.
  void shutdown();
  // Drops what is pending and makes the peer see a reset; only destroying remains.
  void reset();

 private:
  struct Impl;
  explicit TcpStream(Impl* impl) : impl_(impl) {}
  Impl* impl_;  // frees itself in libuv's close callback
};

}  // namespace ringside::net
