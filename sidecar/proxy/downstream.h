// Downstream: one connection from a caller, from accept to close.
//
// Owned by its Worker, on that worker's thread only. Parses requests and gives them one at a time
// to its Exchange; bytes of the next request wait until the response before is complete, so
// pipelined requests are answered in order. Knows when to keep alive, when to close, and how: after
// an answer that came before the request was read, it half-closes and reads on for a while, since
// closing at once would make the kernel throw away the answer. On a fixed port with `protocol: tcp`
// it is raw: there the port itself says CONNECT, by a request that we write, and nothing of HTTP
// goes back.
// Invariants: 1. at most one exchange runs, and none begins while more than Exchange::kHighWater
// waits for the caller to read; 2. at most kStashBytes and one read wait; 3. after close() the
// owner is told once and nothing happens here any more; 4. own callbacks may close it: the owner
// destroys it when the turn is over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "sidecar/http/step.h"
#include "sidecar/net/tcp_stream.h"
#include "sidecar/proxy/context.h"
#include "sidecar/proxy/deadlines.h"
#include "sidecar/proxy/send_progress.h"
#include "sidecar/proxy/serving.h"

namespace ringside::proxy {

class DownstreamOwner {
 public:
  virtual void on_downstream_closed(Downstream& downstream) = 0;

 protected:
  ~DownstreamOwner() = default;
};

// Which door a caller came through.
struct Entrance {
  bool inbound = false;
  std::string upstream;    // not empty: a fixed port of this upstream
  std::uint16_t port = 0;  // as in the settings
};

class Downstream final : public net::StreamHandler, public Deadlines::Entry {
 public:
  static constexpr std::size_t kStashBytes = 64 * 1024;
  static constexpr seconds kLastChance{1};  // for the request of one accepted while stopping
  // Who waits for one answer and then ends is looked at after this time: gone meanwhile?
  static constexpr milliseconds kUnwatched{20};
  static constexpr std::size_t kLingerBytes = 4 * 1024 * 1024;

  Downstream(WorkerContext& context, DownstreamOwner& owner,
             std::shared_ptr<const Entrance> entrance, std::string peer_ip);
  ~Downstream();

  void start(std::unique_ptr<net::TcpStream> stream);
  // Instead of start(): one caller too many. Says so, and that nothing was processed; a raw one is
  // reset.
  void turn_away(std::unique_ptr<net::TcpStream> stream);
  // No new request: closes now when idle (an inbound one says so first), else after the response.
  void stop();
  // At once, whatever is going on: the caller's doing, or the end of all.
  void close();
  void cut();  // the same, and it is ours: the time for what is under way is over

  // For Servings, at the end of a turn: gives back what an idle connection needs no more.
  void rest();

  // For Exchange.
  [[nodiscard]] bool inbound() const { return entrance_->inbound; }
  [[nodiscard]] const std::string& fixed_upstream() const { return entrance_->upstream; }
  [[nodiscard]] const std::string& peer_ip() const { return peer_ip_; }
  [[nodiscard]] const http::RequestParser& parser() const { return serving_->parser; }
  [[nodiscard]] bool closed() const { return state_ == State::kClosed; }
  [[nodiscard]] bool processing() const { return processing_; }
  // The caller speaks no HTTP: it gets what comes through the tunnel, or a reset.
  [[nodiscard]] bool raw() const { return raw_; }
  // For a tunnel, which takes the stream's events over.
  [[nodiscard]] net::TcpStream& stream() { return *stream_; }
  [[nodiscard]] bool ended() const { return ended_; }
  void ended_in_tunnel() { ended_ = true; }  // which has read the caller's end
  [[nodiscard]] std::string take_stash() { return std::exchange(stash_, {}); }
  metrics::UpstreamStats& stats_of(std::string_view upstream);
  metrics::UpstreamStats* unknown_stats();
  // Sends what is gathered for the caller; `last`: the connection ends behind it.
  net::WriteResult flush(bool last = false);
  [[nodiscard]] std::size_t pending_bytes() const;
  // The caller has taken some of what was held back for it since it was last asked.
  [[nodiscard]] bool caller_reads() { return progress_.moved(*stream_); }
  // Something that did not come through flush() is held back for it.
  void note_unsent() { progress_.note(*stream_); }
  void pause();
  void resume();
  void rearm();
  // When the exchange is done, closes so that the caller can't take the response for complete.
  void close_with_reset() { reset_wanted_ = true; }
  void exchange_done(bool keep);

  std::size_t slot = 0;  // for the owner: where it keeps this one

  void on_read(std::span<const char> bytes) override;
  void on_forwarded(std::size_t bytes, net::WriteResult result) override;
  void on_eof() override;
  void on_broken(const Error& why) override;
  void on_drained() override;
  void on_deadline(Instant now) override;

 private:
  void end(void (Exchange::*how)());
  enum class State : std::uint8_t { kOpen, kLingering, kClosed };

  void watch();
  [[nodiscard]] bool needs_no_watch() const;
  void process(std::span<const char> input);
  bool act_on(const http::Step& step);
  void stash(std::span<const char> bytes);
  void next_request();
  void on_parse_error(const http::ParseError& error);
  void refuse(Cause cause, std::string_view reason, std::string_view detail = {});
  void log_refusal(Cause cause);
  void go_on();
  void finish_writing();
  void say_idle_close();
  [[nodiscard]] Instant due() const;
  [[nodiscard]] bool waiting_for_request() const;
  // Its exchange runs.
  [[nodiscard]] bool running() const { return serving_ && serving_->exchange.running(); }
  [[nodiscard]] bool between_messages() const { return !serving_ || serving_->parser.idle(); }
  // So much is held back for the caller that no further request of its is served.
  [[nodiscard]] bool backed_up() const { return pending_bytes() > Exchange::kHighWater; }

  WorkerContext& context_;
  DownstreamOwner& owner_;
  const std::shared_ptr<const Entrance> entrance_;
  const std::string peer_ip_;
  const bool raw_;
  std::unique_ptr<net::TcpStream> stream_;
  std::unique_ptr<Serving> serving_;  // none while nothing is asked for

  State state_ = State::kOpen;
  bool watched_ = false;  // the loop tells what comes
  bool processing_ = false;
  bool message_open_ = false;  // a head was seen, its message's end was not
  bool closing_ = false;       // no further request
  bool ended_ = false;         // the caller sends nothing more
  bool unread_ = false;        // bytes came that nobody will look at
  bool reset_wanted_ = false;
  bool noted_ = false;        // by Servings, that it rests
  std::string stash_;         // bytes of requests to come
  SendProgress progress_;     // of what is written to the caller
  Instant since_{};           // of the idle time, the head's first byte, or the lingering
  std::size_t lingered_ = 0;  // bytes read and thrown away

  std::string stats_name_;  // of stats_
  metrics::UpstreamStats* stats_ = nullptr;
};

}  // namespace ringside::proxy
