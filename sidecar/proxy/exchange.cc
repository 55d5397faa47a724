// Begin, end and clocks of an exchange. The other parts: exchange_route.cc (where it goes),
// exchange_limits.cc (whether it may), exchange_try.cc (tries and retries), exchange_request.cc
// (out), exchange_response.cc (back), exchange_tunnel.cc (what becomes of an Upgrade or CONNECT).
#include "sidecar/proxy/exchange.h"

#include <algorithm>
#include <chrono>

#include "sidecar/http/upgrade.h"
#include "sidecar/proxy/downstream.h"
#include "sidecar/proxy/exchange_tunnel.h"

namespace ringside::proxy {

namespace {

// The caller went away before it got a status: known by this number from other proxies' logs.
constexpr int kCallerGone = 499;

}  // namespace

Exchange::Exchange(WorkerContext& context) : context_(context), wait_(context, *this) {}

Exchange::~Exchange() = default;

void Exchange::serve(Downstream& downstream) {
  downstream_ = &downstream;
  inbound_ = downstream.inbound();
}

const http::RequestHead& Exchange::request() const {
  return downstream_->parser().head();
}

void Exchange::reset() {
  phase_ = Phase::kConnecting;
  asks_ = request().method == http::Method::kConnect ? Asks::kConnect
          : http::offers_upgrade(request())          ? Asks::kUpgrade
                                                     : Asks::kExchange;
  request_done_ = !request().framing.has_body();
  sent_ = upstream_broken_ = fresh_only_ = false;
  head_sent_ = keep_ = chunked_out_ = until_close_ = false;
  replayable_ = unprocessed_ = true;
  status_ = retries_ = unprocessed_retries_ = 0;
  stats_ = nullptr;
  service_ = {};
  target_ = {};
  tries_ = 0;
  bytes_in_ = bytes_out_ = 0;
  started_ = try_started_ = context_.loop.now();
  last_byte_ = context_.loop.coarse_now();
  response_from_ = request_done_ ? last_byte_ : kNever;
}

void Exchange::begin() {
  reset();
  take_request_id();
  if (context_.settings->log.access) {
    started_wall_ =
        std::chrono::floor<milliseconds>(WallTime::clock::now());  // for people, nothing else
  }
  if (inbound_) {
    begin_inbound();
  } else {
    begin_outbound();
  }
}

void Exchange::take_request_id() {
  const http::Field* field = request().find(http::FieldId::kXRequestId);
  if (field != nullptr && http::acceptable_request_id(field->value)) {
    request_id_ = field->value;
    return;
  }
  for (std::size_t i = 0; i < drawn_id_.size(); i += 16) {
    std::uint64_t bits = context_.rng();
    for (std::size_t j = 0; j < 16; ++j, bits >>= 4U) {
      drawn_id_[i + j] = "0123456789abcdef"[bits & 15U];
    }
  }
  request_id_ = {drawn_id_.data(), drawn_id_.size()};
}

// The try is over for its connection and its pool; the pick stays for the caller to settle.
void Exchange::release_try(bool reusable) {
  unsent_.drop();
  wait_.give_up();
  connect_.reset();
  opening_.release();
  context_.to_upstream.clear();
  if (connection_ != nullptr) {
    if (reusable) {
      pool_->give(std::move(connection_));
    } else {
      pool_->discard(std::move(connection_));
    }
  }
  pool_ = PoolLease();
}

// Nobody waits for this try's response any more. Another sidecar would take an end for that of a
// caller who still reads, and its app would go on; a reset says what it is. Others get an end.
void Exchange::reset_try() {
  if (connection_ != nullptr && connection_->open() && pool_->sidecar()) {
    connection_->stream().reset();
  }
}

void Exchange::count_begin() {
  if (inbound_) {
    context_.metrics.inbound.in_flight.add(1);
  } else {
    stats_->in_flight.add(1);
  }
}

void Exchange::finish(int code, std::string_view cause) {
  // A tunnel's life would drown the latencies.
  const Duration took = (tunnel_ != nullptr ? tunnel_->agreed : context_.loop.now()) - started_;
  if (inbound_) {
    auto& stats = context_.metrics.inbound;
    stats.requests.add(code);
    stats.duration.record(took);
    stats.in_flight.add(-1);
  } else {
    stats_->requests.add(code);
    stats_->duration.record(took);
    stats_->in_flight.add(-1);
    if (!cause.empty() && code != kCallerGone) {
      stats_->errors.add(cause);
    }
  }
  if (context_.settings->log.access) {
    log_access(code, cause);
  }
  drop_tunnel();
  release_try(false);
  guard_.finish();
  guard_ = balancer::PickGuard();
  pick_pin_ = balancer::Pin();
  request_permit_.release();
  request_pin_ = balancer::Pin();
  request_state_.reset();
  trail_.reset();
  if (held_.capacity() > 4096) {
    std::string().swap(held_);
  }
  held_.clear();
  phase_ = Phase::kIdle;
  // Counted before the caller can know of it: who asks for the metrics then, finds it there.
  if (!flush_response(!keep_)) {
    keep_ = false;
  }
  downstream_->exchange_done(keep_);
}

void Exchange::log_access(int code, std::string_view cause) {
  AccessRecord record;
  record.time = started_wall_;
  record.inbound = inbound_;
  record.code = code;
  record.tries = static_cast<std::uint32_t>(tries_);
  record.duration = context_.loop.now() - started_;
  record.bytes_in = bytes_in_;
  record.bytes_out = bytes_out_;
  if (tunnel_ != nullptr && tunnel_->tunnel) {
    record.bytes_in += tunnel_->tunnel->bytes_from_downstream();
    record.bytes_out += tunnel_->tunnel->bytes_from_upstream();
  }
  record.method = http::to_string(request().method);
  record.cause = cause;
  record.request_id = request_id_;
  record.upstream =
      inbound_ && context_.settings->service ? context_.settings->service->name : service_.view();
  record.path = request().target;
  if (tries_ > 0) {
    if (tunnel_ != nullptr && !tunnel_->endpoint.view().empty()) {
      record.endpoint = tunnel_->endpoint.view();
    } else if (const auto* host = guard_.get().host) {
      record.endpoint.set_address(host->endpoint.host, host->endpoint.port);
    } else if (context_.settings->service) {
      const config::Address& app = context_.settings->service->address;
      record.endpoint.set_address(app.host, app.port);
    }
  }
  context_.access.push(record);
}

Instant Exchange::due() const {
  if (phase_ == Phase::kQueued) {
    return wait_.since() + timeouts_.connect;
  }
  if (phase_ == Phase::kConnecting) {
    return kNever;  // TcpConnect has its own limit
  }
  if (phase_ == Phase::kTunnel) {
    return tunnel_due();
  }
  const auto after = [](Instant from, milliseconds limit) {
    return limit.count() == 0 || from == kNever ? kNever : from + limit;
  };
  Instant due = after(last_byte_, timeouts_.idle);
  if (phase_ == Phase::kWaiting && response_from_ != kNever) {
    due = std::min(due, after(response_from_, timeouts_.response));
    due = std::min(due, after(std::max(response_from_, try_started_), timeouts_.per_try));
  }
  return due;
}

void Exchange::on_deadline(Instant now) {
  if (due() > now) {
    return;  // moved meanwhile; Downstream arms again
  }
  if (phase_ == Phase::kQueued) {
    waited_too_long();
    return;
  }
  if (phase_ == Phase::kTunnel) {
    on_tunnel_deadline(now);
    return;
  }
  if (still_moving(now)) {
    return;
  }
  if (phase_ == Phase::kResponding) {
    // A caller that does not read is not the host's fault, and will not read a proper end either.
    const bool caller_stopped = downstream_->pending_bytes() > 0;
    settle(caller_stopped ? balancer::Outcome::kNeutral : balancer::Outcome::kFailure);
    if (caller_stopped) {
      downstream_->close_with_reset();
    }
    reset_try();
    break_off("timeout");
    return;
  }
  const bool waiting = response_from_ != kNever;
  if (waiting && timeouts_.response.count() != 0 && response_from_ + timeouts_.response <= now) {
    timed_out("no response within timeouts.response", false);
  } else if (waiting && timeouts_.per_try.count() != 0 &&
             std::max(response_from_, try_started_) + timeouts_.per_try <= now) {
    timed_out("no response within timeouts.per_try", true);
  } else {
    if (!request_done_ && connection_->stream().pending_bytes() == 0) {
      settle(balancer::Outcome::kNeutral);  // it is the caller who does not go on
    }
    timed_out("no byte either way within timeouts.idle", false);
  }
}

// A side that takes a little from time to time is slow, not silent; and while the host still takes
// the request, nobody waits for its response.
bool Exchange::still_moving(Instant now) {
  const bool request = progress_.moved(connection_->stream());
  const bool response = phase_ == Phase::kResponding && downstream_->caller_reads();
  if (request && response_from_ != kNever) {
    response_from_ = now;
  }
  if (request || response) {
    last_byte_ = now;
  }
  return request || response;
}

void Exchange::abandon() {
  end_early(head_sent_ ? status_ : kCallerGone, head_sent_ ? "" : "caller_gone");
}

void Exchange::cut() {
  end_early(head_sent_ ? status_ : status_of(Cause::kDraining), to_string(Cause::kDraining));
}

void Exchange::end_early(int code, std::string_view cause) {
  if (!running()) {
    return;
  }
  if (phase_ == Phase::kTunnel) {
    tunnel_->cut = true;
  }
  settle(balancer::Outcome::kNeutral);
  keep_ = false;
  reset_try();
  finish(code, cause);
}

}  // namespace ringside::proxy
