// One connection to an endpoint: what an exchange sends goes out, what comes back is parsed and
// handed to the exchange piece by piece.
//
// Owned by the pool while idle and by an exchange while it is used (pool.h); worker thread only.
// Invariants: 1. idle: no user, reading armed, so that an end or stray bytes (a `408` of another
// sidecar, say) take it out of the pool before it is used again; 2. on_end and on_failed are the
// last thing a read does here: the user may give the connection back, destroy it or use it again
// from inside them; 3. a callback that returns false has let go of the connection; 4. it is counted
// among limits.connections by the permit it holds, until its socket is closed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "balancer/limits/permit_gate.h"
#include "config/base/time.h"
#include "sidecar/http/keep_alive.h"
#include "sidecar/http/parser.h"
#include "sidecar/net/tcp_stream.h"

namespace ringside::proxy {

class HostPool;

struct UpstreamFailure {
  bool reset = true;        // the connection ended; false: what came back is no valid response
  std::string_view detail;  // static
};

// Who uses an UpstreamConnection.
class UpstreamUser {
 public:
  virtual bool on_upstream_head(const http::ResponseHead& head) = 0;
  virtual bool on_upstream_body(std::span<const char> piece) = 0;
  // So much of the body went where the stream forwards it to, with this result.
  virtual bool on_upstream_forwarded(std::size_t bytes, net::WriteResult result) = 0;
  // All bytes at hand were given; more is to come.
  virtual void on_upstream_pause() = 0;
  // `reusable`: the response left the connection clean.
  virtual void on_upstream_end(bool reusable) = 0;
  // The head was a 101, or a 2xx to CONNECT: HTTP is over, and `early` came behind it. Reading goes
  // on only with another handler.
  virtual void on_upstream_tunnel(std::span<const char> early) = 0;
  virtual void on_upstream_failed(const UpstreamFailure& failure) = 0;
  virtual void on_upstream_drained() = 0;

 protected:
  ~UpstreamUser() = default;
};

class UpstreamConnection final : public net::StreamHandler {
 public:
  UpstreamConnection(HostPool& pool, std::unique_ptr<net::TcpStream> stream,
                     const http::Limits& limits);
  ~UpstreamConnection();

  // A new response to `method` begins; events go to `user` from now on. `upgrade`: it may be a 101.
  void begin(UpstreamUser& user, http::Method method, bool upgrade);
  // The user is gone; what comes now is stray.
  void detach();
  // Closes the socket and gives up the permit, also inside its own callbacks; only destroying
  // remains.
  void close();

  // The permit by which it is counted; none to the local app.
  void hold(balancer::Permit permit) { permit_ = std::move(permit); }
  [[nodiscard]] balancer::Permit take_permit() { return std::move(permit_); }

  [[nodiscard]] bool open() const { return stream_ != nullptr; }
  [[nodiscard]] net::TcpStream& stream() { return *stream_; }  // while open
  [[nodiscard]] HostPool& pool() { return pool_; }
  [[nodiscard]] const http::ResponseParser& parser() const { return parser_; }
  // Something of the response to this request was read.
  [[nodiscard]] bool answered() const { return answered_; }
  // It carried an exchange before this one.
  [[nodiscard]] bool reused() const { return exchanges_ > 1; }

  // What the last response that had Keep-Alive fields announced; `max` is counted down from there.
  [[nodiscard]] const http::KeepAliveTerms& terms() const { return terms_; }
  // The exchange left it clean: takes note of what its response announced, no user any more.
  void rest();
  // Gives the parser's buffers back; only between exchanges.
  void release_memory();

  Instant idle_since{};     // while in the pool
  Duration idle_before{0};  // for how long it was, before this exchange

  void on_read(std::span<const char> bytes) override;
  void on_forwarded(std::size_t bytes, net::WriteResult result) override;
  void on_eof() override;
  void on_broken(const Error& why) override;
  void on_drained() override;

 private:
  void advance(std::span<const char> bytes);
  void fail_user(const http::ParseError& error);

  HostPool& pool_;
  balancer::Permit permit_;  // outlives the socket
  std::unique_ptr<net::TcpStream> stream_;
  http::ResponseParser parser_;
  UpstreamUser* user_ = nullptr;
  http::KeepAliveTerms terms_;
  std::uint64_t exchanges_ = 0;
  bool answered_ = false;
  bool memory_kept_ = true;  // the parser's buffers are warm
  bool short_first_ = true;  // what a first read leaves of a large body can be forwarded
};

}  // namespace ringside::proxy
