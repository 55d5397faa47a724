// From the answer to an Upgrade or CONNECT to the end of the tunnel.
//
// Good path: a 101 that takes up the offer, a 2xx of the other sidecar, or a plain connection that
// stands; its head (or our own 200) to the caller; once the request's body is out, the tunnel; its
// end.
// Failure paths: a 101 that names what was not offered (bad_response); a raw caller whose CONNECT
// is refused (reset, since it would not understand an answer); a reset or silence in the tunnel
// (both sides are reset); a reset of the host before it sent a byte (a failure for its breaker).
#include "sidecar/proxy/exchange_tunnel.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sidecar/http/upgrade.h"
#include "sidecar/proxy/downstream.h"

namespace ringside::proxy {

// True when this response can't be passed on; the try, or all, is over then.
bool Exchange::refuse_head(const http::ResponseHead& head) {
  if (head.status == 101 && !http::takes_up_offer(request(), head)) {
    on_upstream_failed({false, "101 with a protocol that was not offered"});
    return true;
  }
  if (!downstream_->raw() || head.tunnel) {
    return false;
  }
  settle(balancer::outcome_of_status(head.status));
  const http::Field* said = pool_->sidecar() ? head.find("x-ringside-error") : nullptr;
  const auto cause = said == nullptr ? std::nullopt : cause_from(said->value);
  const std::string_view word = to_string(cause.value_or(Cause::kBadResponse));
  refuse_raw(word, "the other sidecar refused it");
  finish(head.status, word);
  return true;
}

void Exchange::refuse_raw(std::string_view cause, std::string_view detail) {
  context_.tell(fmt::format("tcp {}: {}: {}{}{}", service_.view(), cause, detail,
                            tries_ > 0 ? ", last at " : "",
                            tries_ > 0 ? endpoint_text(guard_.get().host) : ""));
  keep_ = false;
  downstream_->close_with_reset();
}

// Nobody to ask: the connection itself is the answer.
void Exchange::connect_directly(std::unique_ptr<UpstreamConnection> connection) {
  connection_ = std::move(connection);
  unsent_.drop();
  status_ = 200;
  head_sent_ = until_close_ = true;
  keep_ = false;
  if (!downstream_->raw()) {
    std::array<http::NewField, 3> fields;
    std::size_t count = 0;
    fields[count++] = {"x-request-id", request_id_};
    if (inbound_) {
      fields[count++] = {"x-ringside-instance", context_.instance};
    }
    if (inbound_ && context_.draining) {
      fields[count++] = {"x-ringside-draining", "1"};
    }
    http::write_connected(std::span(fields).first(count), context_.to_downstream.text());
  }
  on_upstream_tunnel({});
}

void Exchange::on_upstream_tunnel(std::span<const char> early) {
  tunnel_ = std::make_unique<TunnelPhase>();
  tunnel_->agreed = context_.loop.now();
  if (asks_ == Asks::kUpgrade) {
    settle_tunnel(balancer::Outcome::kSuccess);
  } else if (guard_.held()) {
    tunnel_->judge_at = tunnel_->agreed + timeouts_.connect;
  }
  connection_->stream().read_stop();
  if (!flush_response()) {
    abandon();
    downstream_->close();
  } else if (request_done_) {
    begin_tunnel(early);
  } else {
    tunnel_->early.assign(early.data(), early.size());
  }
}

void Exchange::begin_tunnel_if_due() {
  if (tunnel_ != nullptr && phase_ != Phase::kTunnel && request_done_) {
    const std::string early = std::move(tunnel_->early);  // not for the life of the tunnel
    begin_tunnel(early);
  }
}

// The last thing done by whoever calls it: the tunnel, and the exchange, may be over at once.
void Exchange::begin_tunnel(std::span<const char> early) {
  phase_ = Phase::kTunnel;
  trail_.reset();
  std::string().swap(held_);
  pick_pin_ = balancer::Pin();
  let_request_table_go();
  tunnel_->tunnel.emplace(context_.loop, TunnelSide{downstream_->stream(), *downstream_},
                          TunnelSide{connection_->stream(), *connection_}, timeouts_.idle, *this);
  downstream_->rearm();
  tunnel_->tunnel->start(downstream_->take_stash(), downstream_->ended(), early);
}

// How long the tunnel lives is no response time, and no reason to keep a table.
void Exchange::settle_tunnel(balancer::Outcome outcome) {
  if (const auto* host = guard_.get().host) {
    guard_.settle(outcome, tunnel_->agreed - try_started_, context_.loop.now());
    tunnel_->endpoint.set_address(host->endpoint.host, host->endpoint.port);
    guard_.let_table_go();
  }
}

Instant Exchange::tunnel_due() const {
  return std::min(tunnel_->tunnel->due(), tunnel_->judge_at);
}

void Exchange::on_tunnel_deadline(Instant now) {
  if (tunnel_->judge_at <= now) {
    tunnel_->judge_at = kNever;
    settle_tunnel(balancer::Outcome::kSuccess);
  }
  tunnel_->tunnel->on_deadline(now);
}

void Exchange::on_tunnel_end(TunnelEnd end) {
  const bool silent = tunnel_->tunnel->bytes_from_upstream() == 0;
  std::string_view cause;
  if (end == TunnelEnd::kUpstreamReset) {
    cause = to_string(Cause::kReset);
  } else if (end == TunnelEnd::kIdle) {
    cause = to_string(Cause::kTimeout);
  }
  settle_tunnel(!silent                            ? balancer::Outcome::kSuccess
                : end == TunnelEnd::kUpstreamReset ? balancer::Outcome::kFailure
                                                   : balancer::Outcome::kNeutral);
  if (end == TunnelEnd::kFinished) {
    downstream_->ended_in_tunnel();
  } else {
    tunnel_->cut = true;
    downstream_->close_with_reset();
  }
  keep_ = false;
  finish(status_, cause);
}

void Exchange::drop_tunnel() {
  if (tunnel_ != nullptr && tunnel_->cut) {
    tunnel_->tunnel->reset_both();
  }
  tunnel_.reset();
}

}  // namespace ringside::proxy
