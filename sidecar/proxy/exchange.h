// Exchange: one request and its response, with all the tries that it takes.
//
// Lent with a parser to the Downstream that has a request (Servings), used again and again; worker
// thread only. Downstream hands in the
// request as it is parsed; Exchange finds the destination (outbound: route and pick; inbound: the
// local app), sends the request, passes the response back, tries again where the rule allows it,
// and makes the answer itself where nobody else does. States and transitions: README.md.
// Invariants: 1. a response byte given to the caller ends all retries; 2. an exchange that began
// ends in finish() exactly once, with one code in the metrics; 3. what is held of a request's body
// is at most kHoldBytes and one read; 4. each pick is settled and released before finish(); 5. no
// byte of the caller's goes upstream behind an Upgrade or CONNECT before it was agreed to;
// 6. outbound, it holds one permit of limits.requests from its first pick to finish(), and one of
// limits.connections while it has a connection or opens one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "balancer/limits/permit_gate.h"
#include "balancer/pick.h"
#include "balancer/retry/retry.h"
#include "config/settings.h"
#include "sidecar/http/head.h"
#include "sidecar/http/route.h"
#include "sidecar/net/tcp_connect.h"
#include "sidecar/proxy/answers.h"
#include "sidecar/proxy/context.h"
#include "sidecar/proxy/permit_wait.h"
#include "sidecar/proxy/pool.h"
#include "sidecar/proxy/send_progress.h"
#include "sidecar/proxy/tunnel.h"
#include "sidecar/proxy/upstream_connection.h"

namespace ringside::proxy {

class Downstream;

class Exchange final : public UpstreamUser, public PermitUser, public TunnelOwner {
 public:
  static constexpr std::size_t kHoldBytes = 64 * 1024;  // of a body, for a retry
  static constexpr std::size_t kHighWater = Tunnel::kHighWater;

  explicit Exchange(WorkerContext& context);
  ~Exchange();

  // Whose requests come next; only while none runs.
  void serve(Downstream& downstream);

  [[nodiscard]] bool running() const { return phase_ != Phase::kIdle; }

  // The request, as Downstream parses it.
  void begin();
  void on_body(std::span<const char> piece);
  void on_forwarded(std::size_t bytes, net::WriteResult result);
  void on_end();
  void on_bad_body(const http::ParseError& error);
  void flush_request();
  // The bytes at hand were parsed: a tunnel that waited for the request's end may begin.
  void begin_tunnel_if_due();

  void on_downstream_drained();
  // The caller is gone: nothing can be told to it any more.
  void abandon();
  // The time for what is under way is over (drain.timeout): the same, and it is our doing.
  void cut();

  // When on_deadline is to be called, as things are now.
  [[nodiscard]] Instant due() const;
  void on_deadline(Instant now);

  bool on_upstream_head(const http::ResponseHead& head) override;
  bool on_upstream_body(std::span<const char> piece) override;
  bool on_upstream_forwarded(std::size_t bytes, net::WriteResult result) override;
  void on_upstream_pause() override;
  void on_upstream_end(bool reusable) override;
  void on_upstream_tunnel(std::span<const char> early) override;
  void on_upstream_failed(const UpstreamFailure& failure) override;
  void on_upstream_drained() override;
  void on_permit(balancer::Permit permit, std::unique_ptr<UpstreamConnection> connection) override;
  void on_tunnel_end(TunnelEnd end) override;

 private:
  enum class Phase : std::uint8_t { kIdle, kQueued, kConnecting, kWaiting, kResponding, kTunnel };
  // What the request may turn the connection into.
  enum class Asks : std::uint8_t { kExchange, kUpgrade, kConnect };

  // One try that went nowhere. Its pin keeps the host alive for `tried`.
  struct Attempt {
    const balancer::HostEntry* host = nullptr;  // nullptr: the local app
    balancer::Pin pin;
    std::string_view outcome;
    std::string_view detail;
    Duration took{0};
  };
  static constexpr std::size_t kMaxAttempts = 24;
  static constexpr std::size_t kMaxPassed = kMaxAttempts + 16;  // hosts tried, or full
  // What failed so far. Made by the first failure, since most exchanges have none.
  struct Trail {
    std::array<Attempt, kMaxAttempts> attempts;
    std::size_t attempt_count = 0;
    std::array<const balancer::Host*, kMaxAttempts> tried{};
    std::size_t tried_count = 0;
  };

  struct Picked {
    balancer::PickGuard guard;
    balancer::Pin pin;
  };

  // exchange.cc
  [[nodiscard]] const http::RequestHead& request() const;
  // A connection is there to write to.
  [[nodiscard]] bool connected() const {
    return phase_ == Phase::kWaiting || phase_ == Phase::kResponding;
  }
  void reset();
  void take_request_id();
  void release_try(bool reusable);
  void reset_try();
  void finish(int code, std::string_view cause);
  bool still_moving(Instant now);
  void count_begin();
  void log_access(int code, std::string_view cause);

  // exchange_route.cc: where it goes
  void begin_outbound();
  void begin_inbound();
  void answer_no_service(std::string_view name);
  std::expected<Picked, balancer::PickFailure> pick_among(
      std::span<const balancer::Host* const> passed);
  std::optional<balancer::PickFailure> pick_host();
  std::expected<balancer::Pick, balancer::PickFailure> pick_of(
      const balancer::Upstream& upstream, std::span<const balancer::Host* const> passed);
  void pick_and_start();
  void answer_pick_failure(balancer::PickFailure failure);

  // exchange_limits.cc: what the upstream's limits allow
  bool enter_upstream(const balancer::Upstream& upstream);
  bool room_to_connect();
  std::unique_ptr<UpstreamConnection> take_host_with_room();
  [[nodiscard]] bool may_use(UpstreamConnection& connection) const;
  void discount_wait();
  bool go_elsewhere();
  void waited_too_long();
  void let_request_table_go();
  void answer_overflow(std::string_view detail, std::string_view key);

  // exchange_try.cc: tries and retries
  void start_try();
  void begin_try();
  void connect();
  std::unique_ptr<UpstreamConnection> idle_connection(HostPool& pool);
  [[nodiscard]] Reuse reuse(const HostPool& pool) const;
  [[nodiscard]] std::span<const balancer::Host* const> tried() const;
  void on_connected(Result<std::unique_ptr<net::TcpStream>> stream);
  void use(std::unique_ptr<UpstreamConnection> connection);
  void try_failed(balancer::Failure failure, std::string_view detail);
  [[nodiscard]] bool still_offered() const;
  void try_again(balancer::Permit permit = {});
  bool retry_fresh(const balancer::Failure& failure);
  bool retry_elsewhere(const balancer::Failure& failure, std::string_view detail);
  Trail& trail();
  void note_attempt(const balancer::Failure& failure, std::string_view detail);
  void settle(balancer::Outcome outcome);
  void timed_out(std::string_view detail, bool may_retry);

  // exchange_request.cc: request out
  void send_request();
  void write_outbound_head(std::string& out);
  void write_inbound_head(std::string& out);
  [[nodiscard]] http::ConnectionOption connection_option() const;
  void write_request_piece(std::string_view bytes);
  void write_request_end();
  bool send_gathered();
  void start_response_clock();
  void hold(std::span<const char> piece);

  // exchange_response.cc: response back
  bool failed_by_head(const http::ResponseHead& head);
  [[nodiscard]] bool says_unprocessed(const http::ResponseHead& head) const;
  bool retry_fresh_after_408(const http::ResponseHead& head);
  void pass_interim(const http::ResponseHead& head);
  void pass_head(const http::ResponseHead& head);
  bool flush_response(bool last = false);
  void answer(Cause cause, std::string_view detail, std::string_view hint = {});
  void write_answer(Cause cause, std::string_view detail, std::string_view hint);
  void break_off(std::string_view cause);
  [[nodiscard]] bool closing_down() const;
  [[nodiscard]] std::string endpoint_text(const balancer::HostEntry* host) const;

  // exchange_forward.cc: large bodies that go from socket to socket
  bool forward_request();
  bool forward_response();

  // exchange_tunnel.cc: what becomes of an Upgrade, of CONNECT and of raw TCP
  struct TunnelPhase;
  bool refuse_head(const http::ResponseHead& head);
  void refuse_raw(std::string_view cause, std::string_view detail);
  void connect_directly(std::unique_ptr<UpstreamConnection> connection);
  void begin_tunnel(std::span<const char> early);
  void settle_tunnel(balancer::Outcome outcome);
  void on_tunnel_deadline(Instant now);
  void drop_tunnel();
  void end_early(int code, std::string_view cause);
  [[nodiscard]] Instant tunnel_due() const;

  WorkerContext& context_;
  Downstream* downstream_ = nullptr;
  bool inbound_ = false;

  Phase phase_ = Phase::kIdle;
  Asks asks_ = Asks::kExchange;
  bool request_done_ = false;     // all of it was read
  bool sent_ = false;             // a byte of it went out in this try
  bool upstream_broken_ = false;  // nothing more can be written in this try
  bool replayable_ = true;        // all of the body so far is in held_
  bool fresh_only_ = false;       // this try must not use a pooled connection
  bool unprocessed_ = true;       // no try before this one can have reached the app
  bool head_sent_ = false;        // of the final response
  bool keep_ = false;             // the caller's connection may carry another exchange
  bool chunked_out_ = false;      // of the response
  bool until_close_ = false;      // of the response
  int status_ = 0;
  int retries_ = 0;
  int unprocessed_retries_ = 0;

  http::ServiceName service_;
  http::Target target_;
  config::Timeouts timeouts_;
  metrics::UpstreamStats* stats_ = nullptr;
  std::string_view request_id_;
  std::array<char, 32> drawn_id_{};

  balancer::Pin request_pin_;  // of the table that keeps the gate of request_permit_, or
  std::shared_ptr<balancer::UpstreamState> request_state_;  // in a tunnel, what keeps it then
  balancer::Permit request_permit_;                         // one of limits.requests
  PermitWait wait_;  // kQueued: for that, or with guard_ held for a connection
  balancer::PickGuard guard_;
  balancer::Pin pick_pin_;     // of the table that guard_ picked from
  RoutedMark::Ticket unsent_;  // held while no byte of this try has gone out
  PoolLease pool_;
  balancer::Permit opening_;  // of the connection that connect_ opens
  std::optional<net::TcpConnect> connect_;
  std::unique_ptr<UpstreamConnection> connection_;
  SendProgress progress_;  // of what is written to connection_
  std::string held_;
  std::unique_ptr<TunnelPhase> tunnel_;  // since it was agreed to

  std::unique_ptr<Trail> trail_;
  std::size_t tries_ = 0;

  Instant started_{};
  Instant try_started_{};
  Instant response_from_ = kNever;  // since when we wait for the response's head
  Instant last_byte_{};
  WallTime started_wall_{};
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
};

}  // namespace ringside::proxy
