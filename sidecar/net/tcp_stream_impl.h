// What a TcpStream is made of. For net's own tcp_stream.cc (reading, writing, closing) and
// tcp_forward.cc; the only header that includes libuv's.
#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "sidecar/net/splice_pipe.h"
#include "sidecar/net/tcp_stream.h"

namespace ringside::net {

struct TcpStream::Impl {
  // Made when one is needed first: most of the idle ones need none.
  struct Requests {
    uv_connect_t connect{};
    uv_write_t write{};
    uv_shutdown_t shutdown{};
  };

  Socket fresh;    // else libuv has it
  uv_tcp_t tcp{};  // not initialized while `fresh`
  std::unique_ptr<Requests> requests;
  Loop* loop = nullptr;
  TcpStream* owner = nullptr;  // nullptr once destroyed: no callback any more
  StreamHandler* handler = nullptr;
  std::string sending;             // with libuv until the write request comes back
  SplicePipes::Lease carried;      // follows `sending`
  std::string waiting;             // follows `carried`
  std::uint64_t written = 0;       // in all
  Impl* target = nullptr;          // of forward()
  Impl* source = nullptr;          // who forwards to here
  std::uint64_t forward_left = 0;  // bytes that may still go to `target`
  SplicePipes::Lease taken;        // for the read event at hand
  int fruitless = 0;               // read events in a row that splice found nothing for
  std::size_t read_limit = Loop::kReadBytes;
  bool ended = false;   // the peer's end was read
  bool broken = false;  // nothing can be written
  bool shutdown_wanted = false;
  bool reading = false;
  bool closing = false;  // by reset()
  bool closed = false;   // libuv is through with it, the owner is not

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp); }
  Requests& its_requests();
  void open();
  ssize_t send_now(std::span<const std::string_view> pieces, Then then);
  void flush();
  void flushed(int status);
  void begin_shutdown();
  void on_bytes(ssize_t count);
  ssize_t hidden_reset();
  bool keep_rest(std::span<const std::string_view> pieces, std::size_t skip);

  int fd();
  [[nodiscard]] std::size_t pending() const;
  [[nodiscard]] bool forwards() const;
  [[nodiscard]] bool splices() const;
  void link(Impl* to, std::uint64_t limit);
  void forward_now();
  ssize_t move_on(SplicePipes::Lease pipe);
  WriteResult carry(SplicePipes::Lease pipe);
  WriteResult send_carried(int& error);
  void drop_pending();
  void send_whole();

  static Impl* make(Loop& loop, StreamHandler& handler);
  static void destroy(uv_handle_t* handle) { delete static_cast<Impl*>(handle->data); }
};

}  // namespace ringside::net
